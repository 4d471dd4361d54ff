"""Writes the token embedding for TensorBoard's projector, which shows it in three dimensions with t-SNE, UMAP or PCA."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.train_model.callbacks.callback import Batch, Callback
from robo_poet.atomic import new_file, write_text
from robo_poet.model.tokenizer import CONTROL, Tokenizer

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer

CONFIG = """embeddings {
  tensor_name: "token embedding"
  tensor_path: "embedding.tsv"
  metadata_path: "tokens.tsv"
}
"""


class EmbeddingProjector(Callback):
    """A callback that writes the embedding files at the end of each epoch and of the training.

    The files are `projector_config.pbtxt`, `embedding.tsv` (one row per token) and `tokens.tsv`. Ids that the tokenizer does not use are
    omitted. The format is TSV, not a checkpoint, because TensorBoard without TensorFlow can read it.
    """

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        self._folder, self._tokenizer = folder, tokenizer

    def on_epoch_end(self, training: "Trainer", batch: Batch) -> None:
        self._write(training)

    def on_end(self, training: "Trainer") -> None:
        self._write(training)

    def _write(self, training: "Trainer") -> None:
        table = embedding_table(training.model, self._tokenizer.vocabulary)
        with new_file(self._folder / "embedding.tsv") as temporary:
            np.savetxt(temporary, table[: self._tokenizer.size], "%.5g", delimiter="\t")
        write_text(self._folder / "tokens.tsv", "token\tid\n" + "".join(f"{name}\t{i}\n" for i, name in enumerate(names(self._tokenizer))))
        write_text(self._folder / "projector_config.pbtxt", CONFIG)


def embedding_table(model: Any, vocabulary: int) -> Any:
    """Return the input embedding `[vocabulary, width]`: the first trainable matrix with `vocabulary` rows, for any architecture."""
    return next(v for v in model.trainable_variables if len(v.shape) == 2 and v.shape[0] == vocabulary).numpy()


def names(tokenizer: Tokenizer) -> list[str]:
    """Return a display name for each token id: its text with visible whitespace, `(part of a character)` for incomplete UTF-8."""
    labels = []
    for token in range(tokenizer.size):
        text = CONTROL[token] if token < len(CONTROL) else tokenizer.decode([token])
        text = "(part of a character)" if "\ufffd" in text else text.replace(" ", "␣")
        labels.append("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
    return labels
