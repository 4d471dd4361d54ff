import dataclasses

import pytest

from robo_poet.judges.canary.observations import StepFacts, UserObservation


def test_an_observation_is_frozen_and_ratings_are_optional() -> None:
    user = UserObservation(0, "canary", "u", 1.0, 3, 1, 0, 2, 1, 0, 150.0, None)
    assert (user.ratings, user.rating, user.quality) == (0, 0.0, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        user.failed = 0  # type: ignore[misc]
    assert StepFacts(0, 1.0, 2.0, 0.5, {"canary": 0.0}, True).identified
