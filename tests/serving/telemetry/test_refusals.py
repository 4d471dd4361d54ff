from hypothesis import given
from hypothesis import strategies as st

from serving.telemetry.refusals import OTHER, RefusalCounts, RefusalKey


def key(address: str, code: str = "invalid_credentials") -> RefusalKey:
    return RefusalKey(address, "ann", "id", "generate", 401, code)


def test_only_the_first_request_of_an_interval_is_returned() -> None:
    counts = RefusalCounts(10)
    assert counts.add(key("a"), 1.0) == key("a")
    assert counts.add(key("a"), 2.0) is None and counts.add(key("a"), 5.0) is None
    assert counts.add(key("b"), 6.0) == key("b")
    [(counted, count)] = counts.drain()
    assert (counted, count.count, count.first, count.last) == (key("a"), 2, 2.0, 5.0)
    assert counts.drain() == [] and counts.add(key("a"), 9.0) == key("a")


def test_further_keys_have_the_address_other_and_no_user() -> None:
    counts = RefusalCounts(1)
    counts.add(key("a"), 0.0)
    assert counts.add(key("b"), 0.0) == RefusalKey(OTHER, "", "", "generate", 401, "invalid_credentials")
    assert counts.add(key("c"), 0.0) is None
    assert counts.add(key("c", "rate_limited"), 0.0) == RefusalKey(OTHER, "", "", "generate", 401, "rate_limited")
    assert counts.add(key("a"), 0.0) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["x", "y"])), max_size=200), st.integers(1, 5))
def test_no_request_is_lost_and_the_number_of_keys_is_bounded(requests: list[tuple[int, str]], limit: int) -> None:
    counts = RefusalCounts(limit)
    firsts = sum(counts.add(key(str(address), code), 0.0) is not None for address, code in requests)
    assert len(counts) <= limit + 2
    assert firsts + sum(count.count for _, count in counts.drain()) == len(requests)
