import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.profile.load import load_profile
from robo_poet.settings.train import TrainSettings


@pytest.mark.parametrize("architecture, layers, dropout", [("lstm", 2, 0.3), ("transformer", 6, 0.1)])
def test_what_is_left_out_is_what_the_architecture_suggests(architecture: str, layers: int, dropout: float) -> None:
    for values in ({}, {"layers": None, "dropout": None}):
        settings = TrainSettings.model_validate({"architecture": architecture, **values})
        assert (settings.layers, settings.dropout) == (layers, dropout)
    assert TrainSettings.model_validate({"architecture": architecture, "layers": 3}).layers == 3


def test_a_profile_shows_the_effective_number_as_a_default() -> None:
    effective = load_profile("rtx", ["train.architecture=transformer"])
    assert effective.profile.train.layers == 6 and effective.origins["train.layers"] == "default"


@given(st.sampled_from(["lstm", "transformer"]), st.none() | st.integers(1, 24), st.none() | st.floats(0, 0.9))
def test_written_and_read_again_it_is_the_same(architecture: str, layers: int | None, dropout: float | None) -> None:
    settings = TrainSettings.model_validate({"architecture": architecture, "layers": layers, "dropout": dropout})
    assert TrainSettings.model_validate_json(settings.model_dump_json()) == settings


def test_a_transformers_width_is_divided_among_its_heads() -> None:
    with pytest.raises(ValidationError, match="embedding 100 cannot be divided among 8 heads"):
        TrainSettings(architecture="transformer", embedding=100, heads=8)
    with pytest.raises(ValidationError, match="embedding 9 is odd"):
        TrainSettings(architecture="transformer", embedding=9, heads=3)
    TrainSettings(embedding=100, heads=8)  # an lstm has no heads


@pytest.mark.parametrize(
    "value", [{"architecture": "gru"}, {"warm_start": -1}, {"precision": "int8"}, {"devices": True}, {"layers": "many"}]
)
def test_what_cannot_be_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainSettings.model_validate(value)
