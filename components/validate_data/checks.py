"""Checks of the corpus: its statistics against limits (DATA-2), and its documents against the curated TFDV schema (DATA-1)."""

import contextlib
import io
import logging
import os
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from components.validate_data.corpus_statistics import CorpusStatistics
from robo_poet.settings.data import Outside, ValidateSettings

VERDICT: dict[Outside, Literal["ignored", "warn", "fail"]] = {"ignore": "ignored", "warn": "warn", "fail": "fail"}


@dataclass(frozen=True)
class Check:
    """A number, its bounds (None: no bound) and the verdict. `ignored` means outside the bounds, but ignored by the profile."""

    name: str
    value: float
    low: float | None
    high: float | None
    verdict: Literal["ok", "ignored", "warn", "fail"]

    def __str__(self) -> str:
        bounds = [f"{word} {bound:g}" for word, bound in (("at least", self.low), ("at most", self.high)) if bound is not None]
        return f"{self.name.replace('_', ' ')} is {self.value:.4g}; required: {' and '.join(bounds)}"


def check_value(name: str, value: float, low: float | None, high: float | None, outside: Outside) -> Check:
    """Return the check of one number. NaN is outside all bounds."""
    inside = (low is None or value >= low) and (high is None or value <= high) and value == value
    return Check(name, value, low, high, "ok" if inside else VERDICT[outside])


def check_statistics(measured: CorpusStatistics, settings: ValidateSettings) -> list[Check]:
    """Return the checks of DATA-2, in the order of the specification."""
    s = settings
    return [
        check_value("megabytes", measured.megabytes, s.min_megabytes, None, s.on_size),
        check_value("type_token_ratio", measured.type_token_ratio, s.min_type_token_ratio, s.max_type_token_ratio, s.on_type_token_ratio),
        check_value("sentence_tokens", measured.sentence_tokens, s.min_sentence_tokens, s.max_sentence_tokens, s.on_sentence_length),
        check_value("duplicate_share", measured.duplicate_share, None, s.max_duplicate_share, s.on_duplicates),
        check_value("encoding_error_share", measured.damage_share, None, s.max_encoding_error_share, s.on_encoding_errors),
        check_value("expected_language_share", measured.language_share, s.min_language_share, None, s.on_language),
    ]


SCHEMA = Path(__file__).with_name("schema.pbtxt")
SKEW_FEATURE = "characters"  # the feature whose distribution is compared between train and test
INTEGER_FEATURES = ("characters", "words", "year")


@cache
def _tfdv() -> Any:
    """Import TFDV (6 s) and return it. Suppresses the log output of TensorFlow, Beam and Google's libraries."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    previous_level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            import tensorflow_data_validation as tfdv
    finally:
        logging.disable(previous_level)
    return tfdv


def _statistics(features: dict[str, list[Any]], rows: list[int]) -> Any:
    """Return TFDV's statistics of the given rows."""
    from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory

    columns = {
        name: pa.array(
            [None if values[row] is None else [values[row]] for row in rows],
            pa.list_(pa.int64() if name in INTEGER_FEATURES else pa.string()),
        )
        for name, values in features.items()
        if any(values[row] is not None for row in rows)  # TFDV infers a wrong type for an all-null column
    }
    return generate_statistics_in_memory(pa.RecordBatch.from_pydict(columns))


def anomalies(features: dict[str, list[Any]]) -> list[dict[str, str]]:
    """Return the violations of the schema.

    Args:
        features: name → one value per document, None if it has none.

    Returns:
        One `{"feature": name, "what": description}` per violation, ordered by name; empty if the corpus is valid.
    """
    tfdv = _tfdv()
    statistics = _statistics(features, list(range(len(features["split"]))))
    violations = tfdv.validate_statistics(statistics, tfdv.load_schema_text(str(SCHEMA))).anomaly_info
    return [{"feature": name, "what": " ".join(violations[name].description.split())} for name in sorted(violations)]


def length_divergence(features: dict[str, list[Any]]) -> float:
    """Return the Jensen-Shannon divergence of document lengths between train and test, in [0, 1]; NaN if one of them is empty."""
    tfdv = _tfdv()
    rows = {split: [row for row, name in enumerate(features["split"]) if name == split] for split in ("train", "test")}
    if not all(rows.values()):
        return float("nan")
    lengths = {SKEW_FEATURE: features[SKEW_FEATURE]}
    schema = tfdv.load_schema_text(str(SCHEMA))
    tfdv.get_feature(schema, SKEW_FEATURE).skew_comparator.jensen_shannon_divergence.threshold = 1.0  # never exceeded: only measures
    result = tfdv.validate_statistics(_statistics(lengths, rows["train"]), schema, serving_statistics=_statistics(lengths, rows["test"]))
    return float(result.drift_skew_info[0].skew_measurements[0].value)
