"""The model for small devices (REG-3, SERVE-6): the step for one token as a TFLite file, and a manifest that describes its inputs.

The state is an input and an output. So the file has no loop and no variable, only built-in operations. The weights of matrix products and
the embedding are stored as INT8. Activations are quantised at run time (dynamic range), because full-integer INT8 lost much more quality.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from components.train_model.architectures.architecture import Architecture
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.model.completion import MAX_LENGTH
from robo_poet.process import silent_stderr

Outputs = dict[str, tf.Tensor]


def export_edge(model: keras.Model, architecture: Architecture, size: int, folder: Path, *, quantise: bool = True) -> None:
    """Write `edge/model.tflite` and `edge/manifest.json` into `folder`.

    Args:
        model: the trained model.
        architecture: the architecture of `model`.
        size: number of tokens of the tokenizer, for the manifest; a client must mask higher ids (DATA-5).
        folder: folder of the exported formats.
        quantise: False keeps float32; tests compare that with the SavedModel.

    Raises:
        BadInput: the disk is full or the folder is not writable.
    """
    step, inputs = edge_step(model, architecture)
    states = [spec for spec in inputs if spec.name.startswith("state")]
    manifest = {
        "architecture": model.name, "size": size, "vocabulary": int(model.output_shape[-1]), "max_length": MAX_LENGTH,
        "weights": "int8" if quantise else "float32", "token": "token", "position": "position", "logits": "logits",
        "states": [{"input": spec.name, "output": _next_state_name(spec.name), "shape": spec.shape.as_list()} for spec in states],
    }  # fmt: skip
    content = _convert(model, step, inputs, quantise)
    target = folder / "edge"
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / "model.tflite").write_bytes(content)
        write_text(target / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True))
    except OSError as error:
        raise BadInput(f"the model cannot be written ({error})", where=str(target), remedy="free space and run again") from None


def edge_step(model: keras.Model, architecture: Architecture) -> tuple[Callable[..., Outputs], list[tf.TensorSpec]]:
    """Return the step function for one token of one text, and the specs of its inputs.

    Inputs are `token` `[1]` int32, `position` scalar int32 from 0, then the states. Outputs are `logits` `[1, vocabulary]` float32,
    unmasked, and the next states. The batch size is static, so that TFLite resizes no tensor.
    """
    structure = architecture.init_state(model, 1)
    tensors = enumerate(tf.nest.flatten(structure))
    states = [tf.TensorSpec(tensor.shape, tensor.dtype, name=f"state_{number:02d}") for number, tensor in tensors]

    def step(token: tf.Tensor, position: tf.Tensor, *state: tf.Tensor) -> Outputs:
        features, next_state = architecture.step(model, token, tf.nest.pack_sequence_as(structure, list(state)), position)
        kernel, bias = architecture.head(model)
        next_states = {_next_state_name(spec.name): tensor for spec, tensor in zip(states, tf.nest.flatten(next_state), strict=True)}
        return {"logits": tf.matmul(features, kernel) + bias, **next_states}

    return step, [tf.TensorSpec([1], tf.int32, name="token"), tf.TensorSpec([], tf.int32, name="position"), *states]


def _next_state_name(state: str) -> str:
    return f"next_{state}"


def _convert(model: keras.Model, step: Callable[..., Outputs], inputs: list[tf.TensorSpec], quantise: bool) -> Any:
    holder = tf.Module()
    holder.weights = [variable.value for variable in model.variables]  # the converter makes constants only of variables that it finds here
    converter = tf.lite.TFLiteConverter.from_concrete_functions([tf.function(step).get_concrete_function(*inputs)], holder)
    if quantise:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with silent_stderr():  # the converter logs irrelevant lines; errors are exceptions
        return converter.convert()
