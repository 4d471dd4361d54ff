"""Versions to run on the edge: small ones of both architectures, and one of full size; untrained, which is as good for this."""

from pathlib import Path

import keras
import pytest

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.export.tflite import export_edge
from robo_poet.atomic import write_text
from robo_poet.settings.train import TrainSettings
from tests.components.train_model.exports import untrained_version


@pytest.fixture(scope="session", params=ARCHITECTURES)
def version(request: pytest.FixtureRequest, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_version(request.param, toy_tokenizer, tmp_path_factory)


@pytest.fixture(scope="session")
def full_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MODEL-1, 4,769,552 parameters, as a device holds it: `edge/` and `tokenizer/`, whose words are as good as any."""
    from robo_poet.model.bpe import train_bpe

    folder = tmp_path_factory.mktemp("full")
    (folder / "tokenizer").mkdir()
    core = train_bpe((f"{a}{b} " for a in range(500) for b in ("rose", "night", "sun")), 10_000)
    core.save(str(folder / "tokenizer" / "tokenizer.json"))
    write_text(folder / "tokenizer" / "manifest.json", '{"vocabulary": 10000}')
    keras.utils.set_random_seed(1)
    model = ARCHITECTURES["lstm"].build(TrainSettings(), 10_000)
    assert model.count_params() == 4_769_552
    export_edge(model, ARCHITECTURES["lstm"], core.get_vocab_size(), folder)
    return folder
