"""An exported model with its tokenizer: what evaluation, the command line and monitoring read (contract 6)."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput
from robo_poet.model.quiet import quiet
from robo_poet.model.tokenizer import Tokenizer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Python errors still come through


@dataclass(frozen=True)
class LoadedModel:
    """Signatures `generate`, `beam_search` and `score` take and give tensors by name; see `generate.py` and `score.py` for text."""

    generate: Any
    beam_search: Any
    score: Any
    tokenizer: Tokenizer
    manifest: dict[str, Any]
    module: Any  # keeps the variables of the signatures alive


def load_model(model: Path, tokenizer: Path) -> LoadedModel:
    """Load the model artifact and the tokenizer artifact that belongs to it.

    Raises:
        BadInput: no model at `model`, or one that cannot be loaded, or the tokenizer is not of the size that the model was exported for.
    """
    try:
        manifest = json.loads((model / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"no model here ({error})", where=str(model)) from None
    words = Tokenizer.load(tokenizer)
    words.check_size(manifest, tokenizer)
    with quiet():
        import tensorflow as tf  # seconds; a wrong path should not cost them

        try:
            module = tf.saved_model.load(str(model / "saved_model"))
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BadInput(f"its SavedModel cannot be loaded ({first})", where=str(model), remedy="train a version anew") from None
    calls = module.signatures
    missing = [name for name in ("generate", "beam_search", "score") if name not in calls]
    if missing:
        raise BadInput(f"the model has no signature {missing[0]}", where=str(model), remedy="an older export; train a version anew")
    return LoadedModel(calls["generate"], calls["beam_search"], calls["score"], words, manifest, module)
