"""The calls that gRPC and REST share: predict, and the metadata of a version.

A predict call chooses a version, checks the inputs, queues the request and waits for the answer.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.model_server.errors import CallError, Code, Unloaded
from serving.model_server.metrics import ServerMetrics
from serving.model_server.servable import DEFAULT_SIGNATURE, Servable
from serving.model_server.versions import ChosenVersion, LoadedVersions

DEADLINE_SECONDS = 30.0  # deadline of a call that has none, and the longest deadline (SERVE-2)
MAX_CHOICES = 3  # attempts to choose a version: one may be unloaded meanwhile, but only after another one is available

Answer = tuple[int, dict[str, npt.NDArray[np.generic]]]


async def predict(
    versions: LoadedVersions, metrics: ServerMetrics, model: str, number: int | None, label: str | None, signature: str,
    arrays: Callable[[Mapping[str, Any]], Any], seconds: float | None = None,
) -> Answer:  # fmt: skip
    """Run a predict call, count it, and return the version number and the outputs. Cancelling the call drops the queued request.

    Args:
        model: name of the model.
        number, label: version number or version label; if both are None, the newest version.
        signature: name of the signature; empty for the default.
        arrays: converts the request to input arrays, given the specs of the signature.
        seconds: time until the client's deadline, in seconds.

    Raises:
        CallError: the call failed. Faults of the server have the code INTERNAL and a message without internal details.
    """
    started, code, version = time.perf_counter(), "OK", number or 0
    timeout = DEADLINE_SECONDS if seconds is None else min(seconds, DEADLINE_SECONDS)
    try:
        with metrics.in_progress.track_inprogress():
            version, answer = _submit(versions, model, number, label, signature or DEFAULT_SIGNATURE, arrays, time.monotonic() + timeout)
            return version, await asyncio.wait_for(asyncio.wrap_future(answer), timeout)
    except CallError as error:
        code = error.code.name
        raise
    except TimeoutError:
        code = Code.DEADLINE_EXCEEDED.name
        raise CallError(Code.DEADLINE_EXCEEDED, "the deadline passed before the answer was ready") from None
    except asyncio.CancelledError:
        code = Code.CANCELLED.name
        raise
    except Exception as error:
        code = Code.INTERNAL.name
        reason = next(iter(str(error).splitlines()), "")[:300]
        print(f"model_server: a call of version {version} of {model} failed: {type(error).__name__}: {reason}", file=sys.stderr, flush=True)
        raise CallError(Code.INTERNAL, "the model failed; the server's log has the reason") from None
    finally:
        metrics.record_call(model, version, code, time.perf_counter() - started)


def _submit(
    versions: LoadedVersions, model: str, number: int | None, label: str | None, signature: str, arrays: Callable[[Mapping[str, Any]], Any],
    deadline: float,
) -> tuple[int, "Future[dict[str, npt.NDArray[np.generic]]]"]:  # fmt: skip
    for attempt in range(1, MAX_CHOICES + 1):
        chosen = versions.choose(model, number, label)
        servable = cast(Servable, chosen.servable)
        inputs = arrays(servable.spec(signature))
        try:
            return chosen.number, servable.batcher(signature).submit(inputs, deadline)
        except Unloaded:  # unloaded meanwhile: the label, or the newest version, is another one now
            if number is not None or attempt == MAX_CHOICES:
                raise
    raise AssertionError("the last attempt returns or raises")


def _tensor_info(name: str, spec: tf.TensorSpec) -> meta_graph_pb2.TensorInfo:
    info = meta_graph_pb2.TensorInfo(name=name, dtype=spec.dtype.as_datatype_enum)
    info.tensor_shape.CopyFrom(spec.shape.as_proto())
    return info


def signature_map(chosen: ChosenVersion) -> get_model_metadata_pb2.SignatureDefMap:
    """Return all signatures of a version with their inputs and outputs."""
    servable = cast(Servable, chosen.servable)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name in servable.signatures:
        signature = signatures.signature_def[name]
        signature.method_name = "tensorflow/serving/predict"
        for tensors, specs in ((signature.inputs, servable.signatures[name].structured_input_signature[1]),
                            (signature.outputs, servable.signatures[name].structured_outputs)):  # fmt: skip
            for key, spec in specs.items():
                tensors[key].CopyFrom(_tensor_info(key, spec))
    return signatures


def metadata_json(model: str, chosen: ChosenVersion) -> dict[str, Any]:
    """Return the metadata of a version as the JSON object of the REST API."""
    signatures = json_format.MessageToDict(signature_map(chosen), preserving_proto_field_name=True)
    spec = {"name": model, "signature_name": "", "version": str(chosen.number)}
    return {"model_spec": spec, "metadata": {"signature_def": signatures}}
