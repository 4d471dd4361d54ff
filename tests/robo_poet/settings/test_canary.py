import pytest
from pydantic import ValidationError

from robo_poet.judges.canary.policy import DEFAULT_GUARDRAILS, Policy
from robo_poet.settings.canary import CanarySettings


def test_the_defaults_are_the_default_policy() -> None:
    assert CanarySettings().policy() == Policy()


def test_guardrails_can_be_changed_and_left_out() -> None:
    settings = CanarySettings.model_validate({"margins": {"slow": 0.1}, "ignored": ["ratings"], "only_veto": [], "hold_for": ["slow"]})
    guardrails = settings.policy().guardrails
    assert (guardrails["slow"].margin, guardrails["slow"].on_harm) == (0.1, "hold") and "ratings" not in guardrails
    assert guardrails["quality"].on_unknown == "wait"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": [0.5, 0.2]}, "larger than the one before"), ({"margins": {"latency": 0.1}}, "margins.latency"),
        ({"ignored": list(DEFAULT_GUARDRAILS)}, "no guardrail is left"), ({"max_hours": 2}, "need at least 4 h"),
        ({"only_veto": ["speed"]}, "only_veto"),
    ],
)  # fmt: skip
def test_a_section_that_contradicts_itself_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CanarySettings.model_validate(changes)
