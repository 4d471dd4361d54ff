import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.route import CANARY, CHAMPION, Arm, arms, choose

USERS = [f"user {number}" for number in range(4000)]


def canaries(share: float, experiment: str = "") -> set[str]:
    return {user for user in USERS if choose(user, arms(1, 2, share), experiment).name == CANARY}


def test_by_default_the_champion_answers_everybody() -> None:
    assert arms(1, 2, 0) == arms(1, None, 0.5) == arms(1, 1, 0.5) == (Arm(CHAMPION, 1, 1.0),)
    assert choose("ada", arms(1, 2, 0)) == Arm(CHAMPION, 1, 1.0)
    assert canaries(1.0) == set(USERS)


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_the_canary_gets_its_share_and_the_same_people(share: float) -> None:
    assert len(canaries(share)) / len(USERS) == pytest.approx(share, abs=0.03)
    assert canaries(share) == canaries(share)
    assert canaries(share) <= canaries(share + 0.2)  # a larger share takes nobody's version away
    assert canaries(share) != canaries(share, "another experiment")


@given(st.text(), st.lists(st.floats(0, 10), min_size=1, max_size=4))
def test_whom_nobody_weighs_nobody_gets(user: str, weights: list[float]) -> None:
    among = [Arm(f"arm{number}", number, weight) for number, weight in enumerate(weights)]
    if sum(weights) > 0:
        assert choose(user, among).weight > 0
    else:
        with pytest.raises(ValueError, match="weights"):
            choose(user, among)


def test_negative_weights_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="weights"):
        choose("ada", [Arm("a", 1, -1.0), Arm("b", 2, 2.0)])
