"""Checks of the statistics of a corpus against limits, and the documents that are outside (DATA-2)."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from components.validate_data.corpus_statistics import CorpusStatistics
from robo_poet.features.distributions import Distributions
from robo_poet.report.corpus_section import check_figure, check_name
from robo_poet.settings.data import Outside, ValidateSettings

# (check, side of the bound) → what a value there means for the model, and what the user can do
MEANINGS = {
    ("megabytes", "below"): "intervals are wide, and gates may lack evidence; add text",
    ("type_token_ratio", "below"): (
        "the text uses the same few words again and again, as templates and logs do; remove the repeated parts, or lower "
        "validation.min_type_token_ratio if this is meant"
    ),
    ("type_token_ratio", "above"): (
        "the text has many different words for its size, as lists, code and mixed languages do, and the model sees many of them only once; "
        "add text of the same kind, or raise validation.max_type_token_ratio if this is meant"
    ),
    ("sentence_tokens", "below"): "the sentences are short, as in dialogues; lower validation.min_sentence_tokens if this is meant",
    ("sentence_tokens", "above"): (
        "the sentences are long, or have no full stops, as in verse and tables; raise validation.max_sentence_tokens if this is meant"
    ),
    ("duplicate_share", "above"): "many documents have the same text; look for a source that was read twice",
    ("encoding_error_share", "above"): "the text was probably decoded with a wrong encoding; convert it to UTF-8 again",
    ("expected_language_share", "below"): "name the languages of the corpus in validation.languages",
    ("length_divergence", "above"): (
        "documents of one split are longer than those of another, so held-out figures may differ from those of new text; give long works "
        "as several documents"
    ),
}
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
        limits = (("at least", self.low), ("at most", self.high))
        bounds = [f"{word} {check_figure(bound, self.name)}" for word, bound in limits if bound is not None]
        return f"{check_name(self.name)} is {check_figure(self.value, self.name)}; required: {' and '.join(bounds)}"

    @property
    def meaning(self) -> str:
        """What a value outside the bounds means, and what the user can do; empty inside."""
        if self.verdict == "ok" or math.isnan(self.value):
            return ""
        return MEANINGS.get((self.name, "above" if self.high is not None and self.value > self.high else "below"), "")


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


def outside_documents(check: Check, distributions: Distributions, languages: Sequence[str]) -> list[str]:
    """Return ids of documents that contribute most to a value outside its bounds; empty if no document can be named.

    Args:
        distributions: of the corpus, with examples.
        languages: the expected ISO 639-1 codes.
    """
    too_high = check.high is not None and check.value > check.high
    bins = distributions.bins()
    if check.name in ("type_token_ratio", "sentence_tokens"):
        ordered = list(bins[check.name])
        return _examples(distributions, check.name, ordered[::-1] if too_high else ordered)
    if check.name == "duplicate_share":
        return distributions.examples("duplicate", "yes")
    if check.name == "encoding_error_share":
        return _examples(distributions, "damaged_characters", [key for key in reversed(bins["damaged_characters"]) if key != "0"])
    if check.name == "expected_language_share":
        expected = {language.lower() for language in languages}
        return _examples(distributions, "language", [key for key in bins["language"] if key.lower().split("-")[0] not in expected])
    return []


def _examples(distributions: Distributions, feature: str, keys: Iterable[str]) -> list[str]:
    """Return ids of documents of the first bins, at most as many as one bin remembers."""
    ids = [id_ for key in keys for id_ in distributions.examples(feature, key)]
    return ids[: distributions.most_examples]
