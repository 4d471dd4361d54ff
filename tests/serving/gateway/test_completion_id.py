from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.completion_id import CompletionIds, Issued

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
