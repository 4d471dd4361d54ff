"""Logs texts that the model generates during training, for TensorBoard (TRAIN-4)."""

from typing import TYPE_CHECKING

from components.train_model.callbacks.callback import Batch, Callback
from components.train_model.callbacks.event_file import EventFile
from components.train_model.sample_text import SampleText
from robo_poet.discreet import discreet
from robo_poet.model.tokenizer import START, Tokenizer

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer

LENGTH = 100  # new tokens per sample
PROMPT = 12  # tokens of the held-out prompt


class GenerationSamples(Callback):
    """A callback that logs two texts every `steps` steps: one without a prompt, and one that continues the start of the validation split.

    Sampling depends on (seed, step), so that a resumed training logs the same texts. It does not touch the random state of training.
    """

    def __init__(self, events: EventFile, steps: int, tokenizer: Tokenizer) -> None:
        self._events, self._steps, self._tokenizer = events, steps, tokenizer
        self._sample: SampleText | None = None

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        step = training.progress.step
        if step % self._steps:
            return
        sample = self._sample = self._sample or SampleText(training.architecture, training.model, self._tokenizer.size)
        held_out = [int(token) for token in training.validation.tokens[:PROMPT]]
        for name, prompt in (("from nothing", [START]), ("after held-out words", held_out)):
            new_tokens = sample(prompt, LENGTH, seed=(training.seed, step))
            self._events.text(f"samples/{name}", discreet(self._tokenizer.decode([*prompt, *new_tokens])), step)
