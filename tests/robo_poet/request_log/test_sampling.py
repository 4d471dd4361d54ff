from hypothesis import given
from hypothesis import strategies as st

from robo_poet.request_log.sampling import sampled

RATES = st.floats(0, 1)


@given(st.text(), RATES, RATES)
def test_what_is_kept_at_a_rate_is_kept_at_every_higher_one(completion: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert sampled(completion, low) <= sampled(completion, high)
    assert sampled(completion, low) == sampled(completion, low)


@given(st.text())
def test_the_ends(completion: str) -> None:
    assert sampled(completion, 1.0)
    assert not sampled(completion, 0.0)


def test_the_share() -> None:
    kept = sum(sampled(f"completion {k}", 0.25) for k in range(4000))
    assert 860 <= kept <= 1140  # 1,000 ± 5 standard deviations
