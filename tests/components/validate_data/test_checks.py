import math

import pytest

from components.validate_data.checks import MEANINGS, Check, check_statistics, check_value
from components.validate_data.corpus_statistics import CorpusStatistics
from robo_poet.settings.data import ValidateSettings


@pytest.mark.parametrize(
    ("value", "low", "high", "outside", "verdict"),
    [
        (1, 1, None, "fail", "ok"),
        (0.9, 1, None, "fail", "fail"),
        (2, None, 1, "warn", "warn"),
        (2, None, 1, "ignore", "ignored"),
        (math.nan, None, 1, "fail", "fail"),
        (math.nan, 0, None, "warn", "warn"),
    ],
)
def test_check(value: float, low: float | None, high: float | None, outside: str, verdict: str) -> None:
    assert check_value("x", value, low, high, outside).verdict == verdict  # type: ignore[arg-type]


def test_a_check_reads_as_a_sentence() -> None:
    sentence = str(check_value("sentence_tokens", 27.5, 15, 25, "warn"))
    assert sentence == "mean sentence length is 27.5 tokens; required: at least 15 tokens and at most 25 tokens"


def test_a_value_outside_says_what_it_means_and_what_to_do() -> None:
    defaults = ValidateSettings()
    large = CorpusStatistics(megabytes=5, type_token_ratio=1, sentence_tokens=99, duplicate_share=1, damage_share=1)
    for value in (CorpusStatistics(), large):
        for check in check_statistics(value, defaults):
            assert bool(check.meaning) == (check.verdict != "ok"), check
    keys = [word.strip(";,.") for text in MEANINGS.values() for word in text.split() if word.startswith("validation.")]
    assert keys and all(key.removeprefix("validation.") in ValidateSettings.model_fields for key in keys)
    assert not check_value("type_token_ratio", math.nan, 0.05, 0.15, "warn").meaning


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (check_value("megabytes", 0.4, 1, None, "warn"), "size is 0.4 MB; required: at least 1 MB"),
        (check_value("encoding_error_share", 0.25, None, 0.001, "warn"), "encoding error share is 25 %; required: at most 0.1 %"),
        (check_value("type_token_ratio", 0.3, 0.05, 0.15, "warn"), "type token ratio is 0.3; required: at least 0.05 and at most 0.15"),
        (check_value("duplicate_share", math.nan, None, 0.1, "warn"), "duplicate share is nan %; required: at most 10 %"),
    ],
)
def test_value_and_bound_have_the_same_unit(check: Check, text: str) -> None:
    assert str(check) == text


def test_every_limit_of_the_settings_is_checked() -> None:
    assert len(check_statistics(CorpusStatistics(), ValidateSettings())) == sum(
        name.startswith("on_") and name not in ("on_anomalies", "on_skew", "on_drift", "on_prompt_skew")
        for name in ValidateSettings.model_fields
    )
