"""Versions of the toy model that behave differently in service: good, slow, failing, and degenerate.

Each is a real SavedModel with real weights, so that the model server loads, batches and warms it up as any other.
"""

import shutil
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version

SLEEP_MICROSECONDS = 250_000  # the pause runs twice, so a batch takes 0.5 s more: 2.5 s for 100 tokens, as short texts are counted
FAILING_LENGTH = 17  # `max_length` of the requests that a failing version refuses to serve
WARM_UP = "assets.extra/tf_serving_warmup_requests"  # the name is that of TensorFlow Serving
SIGNATURES = "generate", "score"  # what a gateway calls


class Kind(StrEnum):
    """What a version does to its users."""

    GOOD = "good"
    SLOW = "slow"
    FAILING = "failing"
    DEGENERATE = "degenerate"
    DAMAGED = "damaged"  # a good version; the test alters its files after the registration


BAD = (Kind.SLOW, Kind.FAILING, Kind.DEGENERATE)


def make_models(training: Path, folder: Path, kinds: Iterable[Kind] = Kind) -> dict[Kind, Path]:
    """Write a model folder for each kind, and return them.

    They keep only the signatures that a gateway calls, because loading and warming up the others takes seconds of a busy machine.
    """
    import tensorflow as tf

    module, models = tf.saved_model.load(str(training / "saved_model")), {}
    for kind in sorted(kinds, key=lambda kind: kind == Kind.DEGENERATE):  # it changes the weights of the module
        models[kind] = folder / kind
        shutil.copytree(training, models[kind], ignore=shutil.ignore_patterns("saved_model", "keras", "edge"))
        _save(module, models[kind] / "saved_model", kind)
        _copy_warm_up(training / "saved_model", models[kind] / "saved_model")
    return models


def register(registry: Registry, models: Mapping[Kind, Path], tokenizer: Path, kind: Kind) -> Version:
    """Register a further version of a kind as a candidate. Versions of a kind differ in their lineage, and so in their digest."""
    number = len(registry.versions()) + 1
    return registry.register(
        {"model": models[kind], "tokenizer": tokenizer}, metrics={"perplexity": 41.0}, lineage={"kind": kind, "number": number}, decision={},
        stage="candidate", who="test", why=f"a {kind} version",
    )  # fmt: skip


def damage(version: Version) -> None:
    """Alter the weights of a registered version, as somebody with write access to the folder may."""
    weights = next(version.folder.rglob("variables.data-*"))
    weights.chmod(0o644)
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 0xFF
    weights.write_bytes(bytes(data))


def _save(module: Any, target: Path, kind: Kind) -> None:
    import tensorflow as tf

    generate, score = module.signatures["generate"], module.signatures["score"]
    if kind == Kind.DEGENERATE:
        _loop(score.variables)
    specification = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in generate.structured_input_signature[1].items()
    }

    def changed(**inputs: Any) -> dict[str, Any]:
        with tf.control_dependencies([_pause()] if kind == Kind.SLOW else [_refuse(inputs)] if kind == Kind.FAILING else []):
            return {name: tf.identity(value) for name, value in generate(**inputs).items()}

    saved = tf.Module()
    saved.weights = score.variables
    signatures = tf.function(changed).get_concrete_function(**specification), score
    tf.saved_model.save(saved, str(target), signatures=dict(zip(SIGNATURES, signatures, strict=True)))


def _pause() -> Any:
    """Wait without CPU time, so that only this version gets slower."""
    import tensorflow as tf
    from tensorflow.python.data.experimental.ops import testing

    return (
        tf.data.Dataset.range(1).apply(testing.sleep(SLEEP_MICROSECONDS)).reduce(tf.constant(0, tf.int64), lambda total, one: total + one)
    )


def _refuse(inputs: Mapping[str, Any]) -> Any:
    """Let a batch fail that has a request of `FAILING_LENGTH` tokens."""
    import tensorflow as tf

    return tf.debugging.assert_none_equal(inputs["max_new"], FAILING_LENGTH, message="this version is broken")


def _loop(weights: Iterable[Any]) -> None:
    """Make the bias of one token so large that nothing else is written."""
    bias = next(value for value in weights if value.name.startswith("logits/bias"))
    values = bias.numpy()
    values[len(values) // 2] += 1e3
    bias.assign(values)


def _copy_warm_up(source: Path, target: Path) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    (target / WARM_UP).parent.mkdir()
    with tf.io.TFRecordWriter(str(target / WARM_UP)) as writer:
        for record in tf.data.TFRecordDataset(str(source / WARM_UP)).as_numpy_iterator():
            if PredictionLog.FromString(record).predict_log.request.model_spec.signature_name in SIGNATURES:
                writer.write(record)
