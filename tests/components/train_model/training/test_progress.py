import math
from types import SimpleNamespace

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.train_model.training.progress import Schedule
from robo_poet.settings.train import TrainSettings


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras' own, on reading a variable
@given(
    st.lists(st.floats(1, 100), max_size=30), st.integers(1, 4), st.integers(0, 3), st.sampled_from([0.5, 0.1]),
    st.sampled_from([1e-6, 3e-4]),
)  # fmt: skip
def test_the_learning_rate_equals_that_of_keras_reduce_lr_on_plateau(
    curve: list[float], patience: int, cooldown: int, factor: float, floor: float
) -> None:
    settings = TrainSettings(plateau_patience=patience, plateau_cooldown=cooldown, plateau_factor=factor, min_learning_rate=floor)
    rate = keras.Variable(1e-3)
    peer = keras.callbacks.ReduceLROnPlateau(
        "p", mode="min", factor=factor, patience=patience, cooldown=cooldown, min_lr=floor, min_delta=0
    )  # fmt: skip
    peer._model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=rate))
    peer.on_train_begin()
    schedule = Schedule(1e-3)
    for epoch, perplexity in enumerate(curve):
        peer.on_epoch_end(epoch, {"p": perplexity})
        schedule = schedule.after(perplexity, settings)
        assert schedule.learning_rate == pytest.approx(float(peer.model.optimizer.learning_rate), rel=1e-5)


@given(st.lists(st.floats(1, 100), min_size=1, max_size=30), st.integers(1, 5))
def test_training_stops_after_patience_validations_without_improvement(curve: list[float], patience: int) -> None:
    settings = TrainSettings(early_stopping_patience=patience)
    schedule = Schedule(1e-3)
    for n, perplexity in enumerate(curve):
        schedule = schedule.after(perplexity, settings)
        best = min(range(n + 1), key=lambda i: curve[i])
        assert schedule.best == curve[best]
        assert schedule.improved() == (best == n)
        assert schedule.finished(settings) == (n - best >= patience)


def test_a_nan_perplexity_is_no_improvement() -> None:
    assert not Schedule(1e-3).after(math.nan, TrainSettings()).improved()
