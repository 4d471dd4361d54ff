"""The TFLite model of a version, run token by token without TensorFlow (SERVE-6)."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from robo_poet.errors import BadInput
from robo_poet.model.tokenizer import START, Tokenizer
from robo_poet.process import silent_stderr

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


class EdgeModel:
    """A TFLite model that reads one token per call. Its recurrent state represents the text so far.

    Attributes:
        tokenizer: the tokenizer that the model was trained with.
        manifest: written by `edge_export`: names and shapes of tensors, and limits.
        vocabulary: number of logits.
        max_length: maximum number of tokens of a text, including the prompt.
        position: tokens read so far.
    """

    def __init__(self, runner: Any, manifest: dict[str, Any], tokenizer: Tokenizer) -> None:
        self._runner, self.manifest, self.tokenizer = runner, manifest, tokenizer
        self.vocabulary, self.max_length = int(manifest["vocabulary"]), int(manifest["max_length"])
        self.reset()

    def reset(self) -> None:
        """Clear the state to start a new text."""
        self.position = 0
        self._state = {state["input"]: np.zeros(state["shape"], np.float32) for state in self.manifest["states"]}

    def read(self, token: int) -> npt.NDArray[np.float32]:
        """Read one token and return the logits of the next token, `[vocabulary]` float32, without masking."""
        names = self.manifest
        inputs = {names["token"]: np.asarray([token], np.int32), names["position"]: np.asarray(self.position, np.int32)}
        result = self._runner(**inputs, **self._state)
        self._state = {state["input"]: result[state["output"]] for state in names["states"]}
        self.position += 1
        logits: npt.NDArray[np.float32] = result[names["logits"]][0]
        return logits


def load_edge(folder: Path, tokenizer: Path, threads: int | None = None) -> EdgeModel:
    """Load `edge/` of a model artifact with its tokenizer artifact.

    Args:
        threads: threads per call; None uses the CPU count, at most 4.

    Raises:
        BadInput: `folder` contains no edge model or a damaged one, or the tokenizer has another size.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"the folder holds no edge model ({error})", where=str(folder), remedy="give the folder `edge` of a model") from None
    loaded = Tokenizer.load(tokenizer)
    try:
        loaded.check_size(manifest, tokenizer)
        with silent_stderr():
            from ai_edge_litert.interpreter import Interpreter  # imports in 0.2 s; imported late so that a wrong path fails fast

            path = str(folder / "model.tflite")
            runner = Interpreter(path, num_threads=threads or min(4, os.cpu_count() or 1)).get_signature_runner()
            model = EdgeModel(runner, manifest, loaded)
            model.read(START)  # the first call prepares the weights and logs to standard error
        model.reset()
        return model
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"the edge model is damaged ({error})", where=str(folder), remedy="export it again") from None
