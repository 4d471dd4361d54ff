import pytest
from pydantic import ValidationError

from pipelines.profile.load import load_profile
from robo_poet.errors import BadInput
from robo_poet.judges.retraining.policy import RetrainingPolicy
from robo_poet.settings.retraining import RetrainingSettings


def test_the_default_is_that_a_person_approves() -> None:
    assert RetrainingSettings().policy() == RetrainingPolicy() and RetrainingPolicy().enabled == "ask"


def test_the_settings_reach_the_policy() -> None:
    chosen = ["enabled=off", "cool_down_hours=1", "budget_hours=9", "run_hours=3", "attempts=5", "retry_minutes=7"]
    settings = load_profile("local", [f"monitoring.retraining.{setting}" for setting in chosen]).profile.monitoring.retraining
    assert settings.policy() == RetrainingPolicy("off", 1, 9, 3, 5, 7)


def test_a_run_that_fits_into_no_budget_is_refused_before_any_alert() -> None:
    with pytest.raises(ValidationError, match="budget_hours: 1: a run needs 2 h"):
        RetrainingSettings(budget_hours=1)
    with pytest.raises(BadInput, match="monitoring.retraining"):
        load_profile("local", ["monitoring.retraining.enabled=yes"])
