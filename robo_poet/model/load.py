"""Loads an exported model with its tokenizer, for evaluation, command line and monitoring (contract 6)."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput
from robo_poet.model.quiet import quiet
from robo_poet.model.tokenizer import Tokenizer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Python exceptions are not affected


@dataclass(frozen=True)
class LoadedModel:
    """An exported model with its tokenizer. The signatures take and return tensors by name; `generate` and `score` wrap them for text."""

    generate: Any
    beam_search: Any
    score: Any
    tokenizer: Tokenizer
    manifest: dict[str, Any]
    module: Any  # reference that keeps the variables of the signatures alive


def load_model(model: Path, tokenizer: Path) -> LoadedModel:
    """Load a model artifact with its tokenizer artifact.

    Raises:
        BadInput: `model` holds no model, or one that cannot be loaded, or the model was exported for a tokenizer of another size.
    """
    try:
        manifest = json.loads((model / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"no model here ({error})", where=str(model)) from None
    loaded = Tokenizer.load(tokenizer)
    loaded.check_size(manifest, tokenizer)
    with quiet():
        import tensorflow as tf  # takes seconds; imported late so that a wrong path fails fast

        try:
            module = tf.saved_model.load(str(model / "saved_model"))
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            message = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BadInput(f"its SavedModel cannot be loaded ({message})", where=str(model), remedy="train a version anew") from None
    signatures = module.signatures
    missing = [name for name in ("generate", "beam_search", "score") if name not in signatures]
    if missing:
        raise BadInput(f"the model has no signature {missing[0]}", where=str(model), remedy="an older export; train a version anew")
    return LoadedModel(signatures["generate"], signatures["beam_search"], signatures["score"], loaded, manifest, module)
