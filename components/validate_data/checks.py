"""Measured numbers against the limits of the profile (DATA-2). Pure: numbers and settings in, verdicts out."""

from dataclasses import dataclass
from typing import Literal

from components.validate_data.corpus_statistics import Measured
from robo_poet.settings.data import Outside, ValidateSettings

VERDICT: dict[Outside, Literal["ignored", "warn", "fail"]] = {"ignore": "ignored", "warn": "warn", "fail": "fail"}


@dataclass(frozen=True)
class Check:
    """One number, its bounds (None: open) and the verdict. A limit that the profile ignores is shown as `ignored`."""

    name: str
    value: float
    low: float | None
    high: float | None
    verdict: Literal["ok", "ignored", "warn", "fail"]

    def __str__(self) -> str:
        bounds = [f"{word} {bound:g}" for word, bound in (("at least", self.low), ("at most", self.high)) if bound is not None]
        return f"{self.name.replace('_', ' ')} is {self.value:.4g}, wanted {' and '.join(bounds)}"


def check(name: str, value: float, low: float | None, high: float | None, outside: Outside) -> Check:
    """Judge one number; what is not a number is outside every bound."""
    inside = (low is None or value >= low) and (high is None or value <= high) and value == value
    return Check(name, value, low, high, "ok" if inside else VERDICT[outside])


def check_all(measured: Measured, settings: ValidateSettings) -> list[Check]:
    """The checks of DATA-2, in the order of the specification."""
    s = settings
    return [
        check("megabytes", measured.megabytes, s.min_megabytes, None, s.on_size),
        check("type_token_ratio", measured.type_token_ratio, s.min_type_token_ratio, s.max_type_token_ratio, s.on_type_token_ratio),
        check("sentence_words", measured.sentence_words, s.min_sentence_tokens, s.max_sentence_tokens, s.on_sentence_length),
        check("duplicate_share", measured.duplicate_share, None, s.max_duplicate_share, s.on_duplicates),
        check("encoding_error_share", measured.damage_share, None, s.max_encoding_error_share, s.on_encoding_errors),
        check("expected_language_share", measured.language_share, s.min_language_share, None, s.on_language),
    ]
