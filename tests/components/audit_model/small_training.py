"""A real training of seconds, with the architecture and the export of the pipeline."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.export.saved_model import PROMPT_INPUTS, SAMPLING_INPUTS, ServingModule
from robo_poet.model.saved_model import LoadedModel
from robo_poet.model.tokenizer import PAD, Tokenizer
from robo_poet.settings.train import TrainSettings


def train_small_model(texts: Sequence[str], words: Tokenizer, epochs: int, units: int = 32) -> LoadedModel:
    """A model of one small LSTM after `epochs` of `texts`, each a document."""
    keras.utils.set_random_seed(3)
    settings = TrainSettings.model_validate({"embedding": 16, "units": units, "layers": 1, "dropout": 0.0})
    architecture = ARCHITECTURES["lstm"]
    model = architecture.build(settings, words.vocabulary)
    rows = [words.encode_document(text) for text in texts]
    data = np.full((len(rows), max(map(len, rows))), PAD, np.int32)
    for row, ids in enumerate(rows):
        data[row, : len(ids)] = ids
    model.compile(keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    weights = (data[:, 1:] != PAD).astype(np.float32)
    model.fit(data[:, :-1], data[:, 1:], sample_weight=weights, batch_size=16, epochs=epochs, verbose=0)
    exported = ServingModule(model, architecture, words.size)

    def generate(**given: Any) -> Any:  # as the saved signature takes its inputs: by name
        return exported.generate(*(given[spec.name] for spec in (*PROMPT_INPUTS, *SAMPLING_INPUTS)))

    return LoadedModel(generate, None, exported.score, words, {"max_length": 512}, exported)
