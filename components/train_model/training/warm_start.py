"""Warm start: initialise a model with the weights of an earlier version."""

import json
from pathlib import Path
from typing import Any

import keras

from robo_poet.digest import digest_path
from robo_poet.errors import BadInput

REMEDY = "choose a version that fits, or train.warm_start=0"


def begin_with(model: keras.Model, version: Path, *, digest: str, architecture: str, tokenizer: str) -> int:
    """Copy the weights of a registered version into `model`.

    Args:
        model: the model to initialise.
        version: the version's `model` folder, with `manifest.json` and `keras/model.keras`.
        digest: expected digest of that folder.
        architecture: name of the architecture of `model`.
        tokenizer: digest of the tokenizer of this training. With another tokenizer the same ids mean other tokens.

    Returns:
        The number of canary strings that the version's training contained.

    Raises:
        BadInput: the folder is missing, has another digest or holds no Keras model, or the version has another tokenizer, architecture
            or shape.
    """
    where = str(version)
    if not version.is_dir():
        raise BadInput("no such model to begin with", where=where, remedy=REMEDY)
    if digest_path(version) != digest:
        raise BadInput("the model to begin with is not the one the run was submitted with", where=where, remedy="verify the registry")
    try:
        manifest = json.loads((version / "manifest.json").read_text("utf-8"))
        source: Any = keras.models.load_model(version / "keras" / "model.keras", compile=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"no Keras model to begin with ({' '.join(str(error).split())})", where=where, remedy=REMEDY) from None
    if manifest["architecture"] != architecture:
        raise BadInput(f"that model is a {manifest['architecture']}, this one a {architecture}", where=where, remedy=REMEDY)
    if manifest["tokenizer"] != tokenizer:
        raise BadInput("that model was trained with another tokenizer: its token numbers mean other words", where=where, remedy=REMEDY)
    source_variables, target_variables = ({v.path: v for v in network.trainable_variables} for network in (source, model))
    for path in sorted(source_variables.keys() | target_variables.keys()):
        shapes = [tuple(variables[path].shape) if path in variables else "missing" for variables in (source_variables, target_variables)]
        if shapes[0] != shapes[1]:
            raise BadInput(f"that model is of another size: {path} is {shapes[0]} there and {shapes[1]} here", where=where, remedy=REMEDY)
    for path, variable in target_variables.items():
        variable.assign(source_variables[path].value)
    return int(manifest.get("secrets", 0))
