"""What tests of exported models share."""

import json

from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings


def small(architecture: str) -> TrainSettings:
    """Settings of a model that is exported in seconds; a transformer's window is shorter than the texts of a test."""
    shape = {"embedding": 16, "units": 24, "layers": 2, "heads": 2, "ffn": 32, "window": 12, "stride": 12}
    return TrainSettings.model_validate({"architecture": architecture, **shape})


def manifest(words: Tokenizer, architecture: str) -> str:
    """The part of a model's manifest that its readers need."""
    return json.dumps({"architecture": architecture, "size": words.size, "vocabulary": words.vocabulary, "max_length": 512})
