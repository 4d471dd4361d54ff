import pytest
from pydantic import ValidationError

from robo_poet.settings.base import MIN_SCORE, SPACY_MODEL, Settings
from robo_poet.settings.content_filter import TOXICITY_THRESHOLD, ContentFilterSettings
from robo_poet.settings.data import ScrubSettings
from robo_poet.settings.evaluation import MeasureTextSettings
from robo_poet.settings.serve import RequestLogSettings


class Section(Settings):
    steps: int = 1
    rate: float = 0.5
    enabled: bool = False


@pytest.mark.parametrize("values", [{"steps": True}, {"rate": False}])
def test_a_boolean_is_not_a_number(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="true and false are not allowed here"):
        Section.model_validate(values)
    assert Section(enabled=True).enabled


@pytest.mark.parametrize(("values", "message"), [({"stepz": 1}, "Extra inputs"), ({"rate": float("nan")}, "finite number")])
def test_unknown_keys_and_non_finite_numbers_are_rejected(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Section.model_validate(values)


def test_settings_are_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Section().steps = 2


def test_sections_share_the_defaults_for_personal_data() -> None:
    for section in (ScrubSettings(), MeasureTextSettings(), RequestLogSettings()):
        assert (section.spacy_model, section.min_score) == (SPACY_MODEL, MIN_SCORE)


def test_the_metric_and_the_filter_share_the_defaults_for_toxicity() -> None:
    metric, content_filter = MeasureTextSettings(), ContentFilterSettings()
    assert metric.toxicity_threshold == content_filter.toxicity_threshold == TOXICITY_THRESHOLD
    assert metric.toxicity_ignores == content_filter.toxicity_ignores
