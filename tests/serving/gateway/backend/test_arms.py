import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.canary.observations import CANARY, CHAMPION
from robo_poet.outcomes.record import NO_STEP, WATCH
from robo_poet.registry.state.rollout import Watch
from robo_poet.registry.state.state import Record, Stage, State
from serving.gateway.backend.arms import FORMER, Arm, CompletionIds, Exposure, Issued, choose, exposure

USERS = [f"user {number}" for number in range(4000)]


def state(share: float = 0.0, watch: Watch | None = None, stages: tuple[Stage, ...] = (Stage.CHAMPION, Stage.CANARY)) -> State:
    records = tuple(Record(number, f"digest{number}", "", stage, "") for number, stage in enumerate(stages, 1))
    return State(records=records, canary_share=share, canary_step=0 if share else NO_STEP, canary_since=7, watch=watch)


def canaries(share: float, experiment: str = "") -> set[str]:
    return {user for user in USERS if choose(user, exposure(state(share)).arms, experiment).name == CANARY}


def test_without_a_share_the_champion_serves_all_users() -> None:
    shown = exposure(state())
    assert {choose(user, shown.arms, shown.experiment).name for user in USERS} == {CHAMPION}
    assert (shown.step, shown.experiment, shown.share(CANARY)) == (NO_STEP, "digest2:7", 0.0)
    assert exposure(state(stages=(Stage.CHAMPION,))) == Exposure((Arm(CHAMPION, 1, 1.0),))
    assert exposure(state(stages=(Stage.CANDIDATE,))) == Exposure() and Exposure().share(CHAMPION) == 0


def test_the_watch_keeps_the_experiment_of_the_ramp() -> None:
    shown = exposure(state(watch=Watch(1, 0.05, 12, 7), stages=(Stage.ARCHIVED, Stage.CHAMPION)))
    assert shown == Exposure((Arm(CHAMPION, 2, 0.95, CANARY), Arm(FORMER, 1, 0.05, CHAMPION)), exposure(state(0.5)).experiment, WATCH)


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_the_canary_serves_its_share_and_always_the_same_users(share: float) -> None:
    assert len(canaries(share)) / len(USERS) == pytest.approx(share, abs=0.03)
    assert canaries(share) == canaries(share)
    assert canaries(share) <= canaries(share + 0.2)  # a larger share moves no user back to the champion
    assert canaries(share) != canaries(share, "another experiment")


@given(st.text(), st.lists(st.floats(0, 10), min_size=1, max_size=4))
def test_an_arm_with_weight_0_serves_no_user(user: str, weights: list[float]) -> None:
    among = [Arm(f"arm{number}", number, weight) for number, weight in enumerate(weights)]
    if sum(weights) > 0:
        assert choose(user, among).weight > 0
    else:
        with pytest.raises(ValueError, match="weights"):
            choose(user, among)


def test_negative_weights_are_rejected() -> None:
    with pytest.raises(ValueError, match="weights"):
        choose("ada", [Arm("a", 1, -1.0), Arm("b", 2, 2.0)])


IDS = CompletionIds(b"k" * 32, "poems", days=30)
DAY = 86_400


@given(st.integers(0, 2**32 - 1), st.sampled_from(["champion", "canary", "former"]), st.integers(0, 2**31))
def test_a_replica_with_the_same_key_reads_the_id(version: int, arm: str, now: int) -> None:
    text = IDS.issue(version, arm, now)
    assert CompletionIds(b"k" * 32, "poems", days=30).read(text, now) == Issued(now, version, arm)
    assert len(text) == 40 and IDS.issue(version, arm, now) != text


@given(st.text(max_size=60))
def test_arbitrary_text_is_not_a_valid_id(text: str) -> None:
    assert IDS.read(text) is None


@given(st.integers(0, 39), st.sampled_from("AZaz09-_"))
def test_a_changed_id_is_invalid(position: int, letter: str) -> None:
    text = IDS.issue(3, "champion", 0)
    altered = text[:position] + letter + text[position + 1 :]
    assert altered == text or IDS.read(altered, 0) is None


def test_an_id_has_one_spelling() -> None:
    text = next(text for text in (IDS.issue(3, "champion", 0) for _ in range(1000)) if "-" in text and "_" in text)
    assert IDS.read(text, 0) is not None
    others = {
        text.replace("-", "+"), text.replace("_", "/"), text + "=", text + "====", f" {text}", f"{text}\n", text + "\x00", text[:20] + "\n" + text[20:],
        text.lower(), text.upper(), text.replace("-", "\u2010"), "".join(chr(ord(c) + 0xFEE0) for c in text), f"{text}\u200b",
    } - {text}  # fmt: skip
    assert [other for other in others if IDS.read(other, 0)] == []


def test_an_id_of_another_key_or_an_expired_id_is_invalid() -> None:
    text = IDS.issue(3, "champion", 0)
    assert CompletionIds(b"x" * 32, "poems", days=30).read(text, 0) is None
    assert IDS.read(text, 30 * DAY) is not None and IDS.read(text, 30 * DAY + 1) is None
    assert IDS.read(text[:-1]) is None and IDS.read(text + "AAAA") is None
