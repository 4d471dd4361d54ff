"""A loaded model version: its signatures as batched functions of NumPy arrays, warmed up before clients call them."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from serving.model_server.batching import Arrays, Batcher, Batching
from serving.model_server.errors import CallError, Code, Unloaded

DEFAULT_SIGNATURE = "serving_default"
WARM_UP_REQUESTS = "assets.extra/tf_serving_warmup_requests"  # in a SavedModel, as in TensorFlow Serving


class Servable:
    """A loaded SavedModel with a batcher for each signature.

    Args:
        folder: the folder of the version.
        batching: the limits of the batches.
        xla: True if signatures that XLA compiles may run; their names end in `_xla`. Like TensorFlow Serving, this server refuses
            them on a CPU unless it is started with `--xla_cpu_compilation_enabled=true`.
        warm_up: replay the warm-up requests of the version.
    """

    def __init__(self, folder: Path, batching: Batching, *, xla: bool, warm_up: bool = True) -> None:
        self._module: Any = tf.saved_model.load(str(folder))
        self._xla, self._batching = xla, batching
        self.signatures: Mapping[str, Any] = self._module.signatures
        self._batchers: dict[str, Batcher] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._compiled_sizes: dict[str, set[int]] = {}
        path = folder / WARM_UP_REQUESTS
        self._warm_up_requests = list(_read_warm_up_requests(path)) if warm_up and path.is_file() else []

    def spec(self, signature: str) -> dict[str, tf.TensorSpec]:
        """Return the inputs of a signature by name.

        Raises:
            CallError: INVALID_ARGUMENT, the signature is unknown or not enabled on this server.
        """
        return dict(self._signature(signature).structured_input_signature[1])

    def warm_first(self) -> None:
        """Replay the first warm-up request of each signature. This runs before the version is available."""
        warmed: set[str] = set()
        for signature, inputs in self._warm_up_requests:
            if signature not in warmed:
                warmed.add(signature)
                self._replay(signature, inputs)

    def warm_rest(self) -> None:
        """Replay the other warm-up requests. Until this ends, batches use only compiled sizes.

        Afterwards all allowed sizes may be used, even if the warm-up file has only one size for a signature or a request fails.
        """
        try:
            for signature, inputs in self._warm_up_requests:
                if self._closed:
                    return
                if len(next(iter(inputs.values()))) not in self._compiled_sizes.get(signature, ()):
                    self._replay(signature, inputs)
        finally:
            with self._lock:
                self._warm_up_requests = []
                for batcher in self._batchers.values():
                    batcher.allow(*self._batching.allowed_batch_sizes)

    def batcher(self, signature: str) -> Batcher:
        """Return the batcher of a signature. It is created on first use.

        Raises:
            CallError: INVALID_ARGUMENT, the signature is unknown or not enabled on this server.
            Unloaded: the version is being unloaded.
        """
        batcher = self._batchers.get(signature)
        if batcher is None:
            self._signature(signature)
            with self._lock:
                if self._closed:
                    raise Unloaded
                if (existing := self._batchers.get(signature)) is not None:
                    return existing
                warm_sizes = self._compiled_sizes.get(signature)
                replaying = any(name == signature for name, _ in self._warm_up_requests)
                sizes = tuple(warm_sizes) if warm_sizes and replaying else self._batching.allowed_batch_sizes
                batcher = self._batchers[signature] = Batcher(lambda inputs: self.run(signature, inputs), self._batching, sizes)
        return batcher

    @property
    def waiting(self) -> int:
        """Number of rows in all queues."""
        return sum(batcher.waiting for batcher in list(self._batchers.values()))

    def batches(self) -> dict[int, int]:
        """Return the number of batches that ran, by size."""
        total: dict[int, int] = {}
        for batcher in list(self._batchers.values()):
            for size, count in list(batcher.batches.items()):
                total[size] = total.get(size, 0) + count
        return total

    def run(self, signature: str, inputs: Arrays) -> dict[str, npt.NDArray[np.generic]]:
        """Run a signature on one batch.

        Raises:
            CallError: INVALID_ARGUMENT, with the message of the failed check in the graph.
        """
        try:
            result = self._signature(signature)(**{name: tf.constant(value) for name, value in inputs.items()})
            return {name: value.numpy() for name, value in result.items()}
        except tf.errors.InvalidArgumentError as error:
            raise CallError(Code.INVALID_ARGUMENT, _first_line(error.message)) from None

    def close(self) -> None:
        """Finish all queued requests and stop the batchers."""
        with self._lock:
            self._closed = True
            batchers = list(self._batchers.values())
        for batcher in batchers:
            batcher.close()

    def _signature(self, name: str) -> Any:
        if name not in self.signatures:
            raise CallError(Code.INVALID_ARGUMENT, f"Serving signature name: {name!r} not found in signature def")
        if name.endswith("_xla") and not self._xla:
            message = f"{name} is compiled by XLA, which is off on this server; start it with --xla_cpu_compilation_enabled=true"
            raise CallError(Code.INVALID_ARGUMENT, message)
        return self.signatures[name]

    def _replay(self, signature: str, inputs: Arrays) -> None:
        self.run(signature, inputs)
        size = len(next(iter(inputs.values())))
        with self._lock:
            self._compiled_sizes.setdefault(signature, set()).add(size)
            batcher = self._batchers.get(signature)
        if batcher is not None:
            batcher.allow(size)


def _read_warm_up_requests(path: Path) -> Iterator[tuple[str, dict[str, npt.NDArray[np.generic]]]]:
    """Yield the requests of a warm-up file, as signature name and input arrays."""
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        request = PredictionLog.FromString(record).predict_log.request
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        yield request.model_spec.signature_name or DEFAULT_SIGNATURE, inputs


def _first_line(message: str) -> str:
    """Return the message of a failed check in the graph (`max_new: at least 1 …`), at most 300 characters, without the graph location."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    line_text = next((line for line in lines if "assertion failed" in line), lines[0] if lines else "invalid argument")
    return line_text.split("assertion failed: [")[-1].split("]")[0][:300]
