from robo_poet.judges.directions import DIRECTIONS, better
from robo_poet.report.names import METRICS


def test_bits_per_byte_are_better_lower_and_an_unknown_metric_has_no_direction() -> None:
    assert (better("bits_per_byte"), better("token_accuracy"), better("test_tokens"), better("x")) == ("lower", "higher", None, None)


def test_only_metrics_that_are_measured_have_one() -> None:
    assert set(DIRECTIONS) <= set(METRICS)
