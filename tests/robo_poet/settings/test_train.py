import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.profile.load import load_profile
from robo_poet.settings.train import PlantedSecretsSettings, TrainSettings


@pytest.mark.parametrize("architecture, layers, dropout", [("lstm", 2, 0.3), ("transformer", 6, 0.1)])
def test_omitted_settings_get_the_default_of_the_architecture(architecture: str, layers: int, dropout: float) -> None:
    for values in ({}, {"layers": None, "dropout": None}):
        settings = TrainSettings.model_validate({"architecture": architecture, **values})
        assert (settings.layers, settings.dropout) == (layers, dropout)
    assert TrainSettings.model_validate({"architecture": architecture, "layers": 3}).layers == 3


def test_a_profile_reports_the_architecture_default_as_default() -> None:
    effective = load_profile("rtx", ["train.architecture=transformer"])
    assert effective.profile.train.layers == 6 and effective.origins["train.layers"] == "default"


@given(st.sampled_from(["lstm", "transformer"]), st.none() | st.integers(1, 24), st.none() | st.floats(0, 0.9))
def test_settings_survive_a_json_round_trip(architecture: str, layers: int | None, dropout: float | None) -> None:
    settings = TrainSettings.model_validate({"architecture": architecture, "layers": layers, "dropout": dropout})
    assert TrainSettings.model_validate_json(settings.model_dump_json()) == settings


def test_the_width_of_a_transformer_must_be_even_and_divisible_by_its_heads() -> None:
    with pytest.raises(ValidationError, match="embedding 100 cannot be divided among 8 heads"):
        TrainSettings(architecture="transformer", embedding=100, heads=8)
    with pytest.raises(ValidationError, match="embedding 9 is odd"):
        TrainSettings(architecture="transformer", embedding=9, heads=3)
    TrainSettings(embedding=100, heads=8)  # an lstm has no heads


@pytest.mark.parametrize(
    "value", [{"architecture": "gru"}, {"warm_start": -1}, {"precision": "int8"}, {"devices": True}, {"layers": "many"}]
)
def test_invalid_values_are_rejected(value: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainSettings.model_validate(value)


def test_a_stride_above_the_window_would_skip_text() -> None:
    with pytest.raises(ValidationError, match="the text between two windows would be skipped"):
        TrainSettings(window=100, stride=101)
    TrainSettings(window=100, stride=100)


@pytest.mark.parametrize("rates", [(0,), (10_001,), (4, 4), (1, 2, 3, 4, 5, 6)])
def test_invalid_rates_of_canary_strings_are_rejected(rates: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="give at most 5 different rates from 1 to 10000"):
        PlantedSecretsSettings(rates=rates)
