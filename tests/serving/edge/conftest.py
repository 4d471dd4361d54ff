"""Versions to run on the edge: small ones of both architectures, and one of full size; untrained, which is as good for this."""

import shutil
from pathlib import Path

import keras
import pytest

from components.train_model.architecture import ARCHITECTURES
from components.train_model.edge_export import export_edge
from components.train_model.export_process import export_apart
from robo_poet.atomic import write_text
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings
from tests.components.train_model.exports import manifest, small


@pytest.fixture(scope="session", params=ARCHITECTURES)
def version(request: pytest.FixtureRequest, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the registry holds it, and `exact/`, the edge model with float32 weights."""
    folder = tmp_path_factory.mktemp("version")
    settings, words = small(request.param), Tokenizer.load(toy_tokenizer)
    keras.utils.set_random_seed(5)
    architecture = ARCHITECTURES[request.param]
    model = architecture.build(settings, words.vocabulary)
    for variable in model.trainable_variables:  # far enough from zero that a state matters
        variable.assign(variable.value * 3.0)
    (folder / "model").mkdir()
    export_apart(model, settings, words.size, folder / "model", folder)
    write_text(folder / "model" / "manifest.json", manifest(words, request.param))
    shutil.copytree(toy_tokenizer, folder / "tokenizer")
    export_edge(model, architecture, words.size, folder / "exact", quantise=False)
    return folder


@pytest.fixture(scope="session")
def full_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MODEL-1, 4,769,552 parameters, as a device holds it: `edge/` and `tokenizer/`, whose words are as good as any."""
    from components.train_tokenizer.bpe import train_bpe

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
