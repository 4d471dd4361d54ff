"""Warm start: initialise a model with the weights of an earlier version."""

import json
from pathlib import Path
from typing import Any

import keras

from robo_poet.digest import digest_path
from robo_poet.errors import BadInput

REMEDY = "choose a version that fits, or train.warm_start=0"


def initialise_from_version(model: keras.Model, version: Path, *, digest: str, architecture: str, tokenizer: str) -> int:
    """Copy the weights of a registered version into `model`.

    Args:
        model: the model to initialise.
        version: the version's `model` folder, with `manifest.json` and `keras/model.keras`.
        digest: expected digest of that folder.
        architecture: name of the architecture of `model`.
        tokenizer: digest of the tokenizer of this training. The version must have the same one, because ids of another tokenizer mean
            other tokens.

    Returns:
        The number of canary strings that the version's training contained.

    Raises:
        BadInput: the folder is missing, has another digest, or contains no Keras model or an incomplete manifest; or the tokenizer,
            architecture or shapes of the version differ.
    """
    where = str(version)
    if not version.is_dir():
        raise BadInput("the model folder for the warm start does not exist", where=where, remedy=REMEDY)
    if digest_path(version) != digest:
        raise BadInput("the model for the warm start changed after the run was submitted", where=where, remedy="verify the registry")
    try:
        manifest = json.loads((version / "manifest.json").read_text("utf-8"))
        version_architecture, version_tokenizer = manifest["architecture"], manifest["tokenizer"]
        canary_strings = int(manifest.get("secrets", 0))
        source: Any = keras.models.load_model(version / "keras" / "model.keras", compile=False, safe_mode=True)
    except KeyError as error:
        raise BadInput(f"manifest.json has no key {error}", where=where, remedy=REMEDY) from None
    except (AttributeError, OSError, TypeError, ValueError) as error:  # AttributeError, TypeError: the manifest is not an object
        raise BadInput(f"the Keras model for the warm start cannot be read ({error})", where=where, remedy=REMEDY) from None
    if version_architecture != architecture:
        what = f"the model for the warm start has the architecture {version_architecture}, this training has {architecture}"
        raise BadInput(what, where=where, remedy=REMEDY)
    if version_tokenizer != tokenizer:
        what = "the model for the warm start has another tokenizer, in which the same token ids mean other tokens"
        raise BadInput(what, where=where, remedy=REMEDY)
    source_variables, target_variables = ({v.path: v for v in network.trainable_variables} for network in (source, model))
    for path in sorted(source_variables.keys() | target_variables.keys()):
        shapes = [tuple(variables[path].shape) if path in variables else "missing" for variables in (source_variables, target_variables)]
        if shapes[0] != shapes[1]:
            what = f"the model for the warm start has another shape: {path} is {shapes[0]}, this training needs {shapes[1]}"
            raise BadInput(what, where=where, remedy=REMEDY)
    for path, variable in target_variables.items():
        variable.assign(source_variables[path].value)
    return canary_strings
