import pytest

from pipelines.profile.load import load_profile
from pipelines.suggestion.duration import estimate_duration, machine_factor, seconds_per_token, weights
from robo_poet.description.description import Names
from robo_poet.settings.train import TrainSettings
from tests.pipelines.suggestion.test_choose import corpus


def test_weights_are_the_products_of_the_models() -> None:
    """MODEL-1 has 4,769,552 parameters: with the embedding of 1,280,000 and biases of 2 · 1,024 + 10,000."""
    recurrent, dense = weights(TrainSettings(), 10_000)
    assert recurrent + dense + 1_280_000 + 2 * 1024 + 10_000 == 4_769_552
    _, transformer = weights(TrainSettings.model_validate({"architecture": "transformer"}), 10_000)
    assert 2_000_000 < transformer < 2_469_888


def test_the_machine_is_compared_with_the_reference() -> None:
    assert 0.05 < machine_factor() < 50


def test_the_local_model_trains_at_the_measured_speed() -> None:
    """docs/benchmarks.md: 22,000 tokens/s for the profile local and 15,575 for MODEL-1, both on 2 cores."""
    assert 1 / seconds_per_token(load_profile("local").profile.train, 1024) == pytest.approx(22_000, rel=0.1)
    assert 1 / seconds_per_token(TrainSettings(), 10_000) == pytest.approx(15_575, rel=0.1)


def test_more_text_more_epochs_and_a_slower_machine_take_longer() -> None:
    local = load_profile("local").profile
    base = estimate_duration(local, corpus(1.25), 1.0, 0.25, 1.0)
    assert base.training > 60
    assert estimate_duration(local, corpus(1.25), 2.0, 0.25, 1.0).training > base.training
    assert estimate_duration(local, corpus(1.25), 1.0, 0.25, 2.0).seconds > 1.9 * base.seconds
    longer = load_profile("local", ["train.epochs=12"]).profile
    assert estimate_duration(longer, corpus(1.25), 1.0, 0.25, 1.0).training > 1.5 * base.training
    limited = load_profile("local", ["train.max_steps=10"]).profile
    assert estimate_duration(limited, corpus(1.25), 1.0, 0.25, 1.0).training < 40


def test_names_take_the_time_that_the_sample_took() -> None:
    from dataclasses import replace

    local = load_profile("local").profile
    named = replace(corpus(10.0), names=Names(100, 0.03, 10.0, "en_model", ("en",), 1.0))
    assert estimate_duration(local, named, 8.0, 2.0, 1.0).scrubbing == pytest.approx(10 / 0.045, rel=0.05)
