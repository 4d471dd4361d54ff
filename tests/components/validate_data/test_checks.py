import math

import pytest

from components.validate_data.checks import check_statistics, check_value
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
    assert str(check_value("sentence_tokens", 27.5, 15, 25, "warn")) == "sentence tokens is 27.5; required: at least 15 and at most 25"
    assert str(check_value("megabytes", 0.4, 1, None, "warn")) == "megabytes is 0.4; required: at least 1"


def test_every_limit_of_the_settings_is_checked() -> None:
    assert len(check_statistics(CorpusStatistics(), ValidateSettings())) == sum(
        name.startswith("on_") and name not in ("on_anomalies", "on_skew", "on_drift", "on_prompt_skew")
        for name in ValidateSettings.model_fields
    )
