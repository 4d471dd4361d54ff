"""Warm-up requests that a model server runs before it serves a version, so that no user waits for a slow first call (SERVE-1).

TensorFlow Serving reads `assets.extra/tf_serving_warmup_requests`, which calls `generate`. `tf_serving_warmup_requests_xla` next to it
calls `generate_xla`. Replace the first file by the second only if the server runs with `--xla_cpu_compilation_enabled=true`: a version
does not load if a warm-up request fails.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

BATCHES = (1, 2, 4, 8, 16, 32)  # batch sizes that a server should round up to (`allowed_batch_sizes`)
NAME = "tf_serving_warmup_requests"
NEW = 2  # new tokens per request: two iterations run all code of the loop


def write_warm_up(saved_model: Path) -> None:
    """Write the two files of warm-up requests into `assets.extra/` of a SavedModel's folder."""
    folder = saved_model / "assets.extra"
    folder.mkdir()
    for name, signature in ((NAME, "generate"), (NAME + "_xla", "generate_xla")):
        with tf.io.TFRecordWriter(str(folder / name)) as file:
            for log in [*(_generate(signature, batch) for batch in BATCHES), _score()]:
                file.write(log.SerializeToString(deterministic=True))


def _generate(signature: str, batch: int) -> PredictionLog:
    def row(value: object, dtype: type[np.generic]) -> object:
        return np.full(batch, value, dtype)

    return _request(
        signature, prompt=np.full((batch, 4), 2, np.int32), prompt_length=row(4, np.int32), max_new=row(NEW, np.int32),
        min_new=row(NEW, np.int32), repetition_penalty=row(1, np.float32), stop_tokens=np.zeros((batch, 1), np.int32),
        banned_tokens=np.zeros((batch, 1), np.int32), temperature=row(1, np.float32), top_k=row(50, np.int32), top_p=row(0.9, np.float32),
        seed=row(0, np.int64),
    )  # fmt: skip


def _score() -> PredictionLog:
    return _request("score", tokens=np.full((1, 8), 2, np.int32))


def _request(signature: str, **inputs: object) -> PredictionLog:
    log = PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return log
