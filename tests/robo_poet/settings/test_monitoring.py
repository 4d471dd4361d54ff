"""Section `monitoring` of a profile."""

import pytest

from robo_poet.judges.drift.policy import DriftPolicy
from robo_poet.settings.monitoring import DriftSettings, MonitoringSettings


def test_the_defaults_are_those_of_the_policy() -> None:
    assert MonitoringSettings().drift.policy() == DriftPolicy()


def test_a_proven_rise_above_the_rise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"proven_rise is 0\.3, and rise only 0\.2; set rise to at least 0\.3"):
        DriftSettings(proven_rise=0.3)
