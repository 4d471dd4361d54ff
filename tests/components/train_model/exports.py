"""What tests of exported models share."""

import json
import shutil
from pathlib import Path

import keras
import pytest

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.export.process import export_in_subprocess
from components.train_model.export.tflite import export_edge
from robo_poet.atomic import write_text
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings
from tests.once import once


def small(architecture: str) -> TrainSettings:
    """Settings of a model that is exported in seconds; a transformer's window is shorter than the texts of a test."""
    shape = {"embedding": 16, "units": 24, "layers": 2, "heads": 2, "ffn": 32, "window": 12, "stride": 12}
    return TrainSettings.model_validate({"architecture": architecture, **shape})


def manifest(words: Tokenizer, architecture: str) -> str:
    """The part of a model's manifest that its readers need."""
    return json.dumps({"architecture": architecture, "size": words.size, "vocabulary": words.vocabulary, "max_length": 512})


def untrained(architecture: str, vocabulary: int) -> keras.Model:
    """A model of `small` settings, the same at each call."""
    keras.utils.set_random_seed(5)
    model = ARCHITECTURES[architecture].build(small(architecture), vocabulary)
    for variable in model.trainable_variables:  # far enough from zero that a state matters
        variable.assign(variable.value * 3.0)
    return model


def untrained_version(architecture: str, tokenizer: Path, paths: pytest.TempPathFactory) -> Path:
    """A folder as the registry holds it, of `untrained`, and `exact/`, the edge model with float32 weights; made once a session."""

    def make(folder: Path) -> None:
        words, settings = Tokenizer.load(tokenizer), small(architecture)
        model = untrained(architecture, words.vocabulary)
        (folder / "model").mkdir()
        export_in_subprocess(model, settings, words.size, folder / "model", folder)
        write_text(folder / "model" / "manifest.json", manifest(words, architecture))
        shutil.copytree(tokenizer, folder / "tokenizer")
        export_edge(model, ARCHITECTURES[architecture], words.size, folder / "exact", quantise=False)

    return once(paths, f"untrained_{architecture}", make)
