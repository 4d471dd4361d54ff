import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.backend.arms import CANARY, CHAMPION, Arm, CompletionIds, Issued, arms, choose

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


OURS = CompletionIds(b"k" * 32, days=30)
DAY = 86_400


@given(st.integers(0, 2**32 - 1), st.sampled_from(["champion", "canary"]), st.integers(0, 2**31))
def test_a_replica_with_the_key_reads_it(version: int, arm: str, now: int) -> None:
    text = OURS.issue(version, arm, now)
    assert CompletionIds(b"k" * 32, days=30).read(text, now) == Issued(now, version, arm)
    assert len(text) == 40 and OURS.issue(version, arm, now) != text


@given(st.text(max_size=60))
def test_whatever_is_sent_is_no_id(text: str) -> None:
    assert OURS.read(text) is None


@given(st.integers(0, 39), st.sampled_from("AZaz09-_"))
def test_an_altered_id_is_none(place: int, letter: str) -> None:
    text = OURS.issue(3, "champion", 0)
    altered = text[:place] + letter + text[place + 1 :]
    assert altered == text or OURS.read(altered, 0) is None


def test_another_key_or_another_month_makes_it_worth_nothing() -> None:
    text = OURS.issue(3, "champion", 0)
    assert CompletionIds(b"x" * 32, days=30).read(text, 0) is None
    assert OURS.read(text, 30 * DAY) is not None and OURS.read(text, 30 * DAY + 1) is None
    assert OURS.read(text[:-1]) is None and OURS.read(text + "AAAA") is None
