"""The TFDV schema: reads and checks it, collects TFDV's statistics of a corpus in batches, and names the documents that violate it."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.features.distributions import Columns
from robo_poet.features.features import FEATURES, VERSION
from robo_poet.features.prompt_snapshot import PROMPT_FEATURES

CURATED = Path(__file__).with_name("schema.pbtxt")
ARROW_TYPES = {"integer": pa.int64(), "share": pa.float64(), "category": pa.string()}
UPDATE = command("data schema update")
NAMED = 5  # documents that are named for each violation


@cache
def tfdv() -> Any:
    """Import TFDV (4 s) and return it. Suppresses the log output of TensorFlow, Beam and Google's libraries."""
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


def read_schema(text: str, where: str) -> Any:
    """Return the schema proto of a text.

    Args:
        text: a `tensorflow.metadata.v0.Schema` in text format; empty for the curated schema of this folder.
        where: its origin, for messages.

    Raises:
        BadInput: it is not such a text, has another version, or names a feature that documents do not have.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema

    schema = Schema()
    try:
        text_format.Parse(text or CURATED.read_text("utf-8"), schema)
    except text_format.ParseError as error:
        remedy = f"correct it, or remove it and write a new one: {UPDATE}"
        raise BadInput(f"not a schema in text format (line {' '.join(str(error).split())})", where=where, remedy=remedy) from None
    tags = [tag for tag in schema.annotation.tag if tag.startswith("robo-poet features ")]
    if tags != [VERSION]:
        states = f"has the version {tags[0]!r}" if tags else "states no version"
        remedy = f"remove it, and write a new one: {UPDATE}"
        raise BadInput(f"the schema {states}; this release reads {VERSION!r}", where=where, remedy=remedy)
    names = [feature.name for feature in schema.feature]
    if unknown := [name for name in names if name not in FEATURES]:
        raise BadInput(f"the schema names a feature that documents do not have: {unknown[0]}", where=where,
                       remedy=f"the features are {', '.join(FEATURES)}")  # fmt: skip
    if repeated := [name for name in names if names.count(name) > 1]:
        raise BadInput(f"the schema names a feature twice: {repeated[0]}", where=where, remedy="keep one of them")
    for feature in schema.feature:
        _check_comparators(feature, where)
    return schema


def _check_comparators(feature: Any, where: str) -> None:
    """Refuse a limit that no comparison reads.

    Raises:
        BadInput: it is of the wrong kind for the feature, is not in [0, 1], or is about a feature that is not compared.
    """
    place = f"{where}: {feature.name}"
    kinds = {"jensen_shannon_divergence": "a number", "infinity_norm": "a category"}
    right = "jensen_shannon_divergence" if FEATURES[feature.name].edges else "infinity_norm"
    for field_name, unmeasured in (
        ("drift_comparator", "the drift of the split is not measured" if feature.name == "split" else ""),
        ("skew_comparator", "" if feature.name in PROMPT_FEATURES else "prompts do not have this feature, so it has no skew"),
    ):
        if not feature.HasField(field_name):
            continue
        if unmeasured:
            raise BadInput(unmeasured, where=place, remedy=f"remove its {field_name}")
        for limit, comparator in getattr(feature, field_name).ListFields():
            if limit.name != right:
                raise BadInput(f"{field_name} has {limit.name}, but the feature is {kinds[right]}", where=place, remedy=f"write {right}")
            if not 0 <= comparator.threshold <= 1:
                raise BadInput(f"the threshold {comparator.threshold:g} is not in [0, 1]", where=place, remedy="correct it")


def record_batch(columns: Columns) -> pa.RecordBatch:
    """Return the features of a batch of documents in the form that TFDV reads: a list of no or one value per document."""
    arrays = {}
    for name, values in columns.items():
        present = np.array([value is not None for value in values])
        if not present.any():
            continue  # TFDV infers a wrong type for an all-null column
        offsets = np.concatenate([[0], np.cumsum(present)]).astype(np.int32)
        items = pa.array([value for value in values if value is not None], ARROW_TYPES[FEATURES[name].kind])
        # a list that is null is a missing value; one with no item would be an empty list
        starts = pa.array(offsets, mask=np.concatenate([~present, [False]]))
        arrays[name] = pa.ListArray.from_arrays(starts, items)
    return pa.RecordBatch.from_pydict(arrays)


class TfdvStatistics:
    """TFDV's statistics of a corpus, collected in batches: TFDV's own generators keep sketches and counts, not values."""

    def __init__(self) -> None:
        tfdv()
        from tensorflow_data_validation.statistics import stats_impl
        from tensorflow_data_validation.statistics.stats_options import StatsOptions

        self._extract = stats_impl.extract_statistics_output
        self._generators = stats_impl.get_generators(StatsOptions(), in_memory=True)
        self._partial = [generator.create_accumulator() for generator in self._generators]

    def add(self, columns: Columns) -> None:
        """Add a batch of documents."""
        batch = record_batch(columns)
        pairs = zip(self._generators, self._partial, strict=True)
        self._partial = [generator.add_input(partial, batch) for generator, partial in pairs]

    def proto(self) -> Any:
        """Return the statistics as a `DatasetFeatureStatisticsList`."""
        return self._extract(self._partial, self._generators)


def anomalies(statistics: Any, schema: Any) -> list[dict[str, str]]:
    """Return the violations of the schema: one `{"feature": name, "what": description}` each, ordered by feature."""
    violations = tfdv().validate_statistics(statistics, schema).anomaly_info
    return [{"feature": name, "what": " ".join(violations[name].description.split())} for name in sorted(violations)]


@dataclass
class Violations:
    """Documents that violate one rule: their number, and the ids of the first ones."""

    documents: int = 0
    ids: list[str] = field(default_factory=list)

    def add(self, ids: Sequence[str], rows: "np.ndarray[Any, Any]") -> None:
        """Add the documents of a batch whose row is True."""
        numbers = np.flatnonzero(rows)
        self.documents += len(numbers)
        self.ids += [ids[number] for number in numbers[: NAMED - len(self.ids)]]


class SchemaViolations:
    """Finds the documents that violate the rules of a schema on single documents: a limit, a list of values, a required value.

    TFDV judges statistics of the whole corpus, so its anomalies do not name documents.
    """

    def __init__(self, schema: Any) -> None:
        domains = {domain.name: frozenset(domain.value) for domain in schema.string_domain}
        self.found: dict[str, Violations] = {}
        self._limits: dict[str, tuple[float, float]] = {}
        self._values: dict[str, frozenset[str]] = {}
        self._required = [feature.name for feature in schema.feature if feature.presence.min_fraction == 1]
        for feature in schema.feature:
            domain = feature.WhichOneof("domain_info")
            if domain in ("int_domain", "float_domain"):
                limits = getattr(feature, domain)
                low = limits.min if limits.HasField("min") else -np.inf
                self._limits[feature.name] = (low, limits.max if limits.HasField("max") else np.inf)
            elif domain == "string_domain":
                self._values[feature.name] = frozenset(feature.string_domain.value)
            elif domain == "domain" and feature.domain in domains:
                self._values[feature.name] = domains[feature.domain]

    def add(self, ids: Sequence[str], columns: Columns) -> None:
        """Check a batch of documents."""
        for name in self._required:
            self._add(name, ids, [value is None for value in columns[name]])
        for name, (low, high) in self._limits.items():
            if FEATURES[name].edges:
                numbers = np.array([low if value is None else value for value in columns[name]], float)
                self._add(name, ids, (numbers < low) | (numbers > high))
        for name, values in self._values.items():
            self._add(name, ids, [value is not None and value not in values for value in columns[name]])

    def _add(self, name: str, ids: Sequence[str], rows: Any) -> None:
        rows = np.asarray(rows)
        if rows.any():
            self.found.setdefault(name, Violations()).add(ids, rows)
