"""The predict call, shared by gRPC and REST: choose a version, check the inputs, queue the request and wait for the answer."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from serving.model_server.errors import CallError, Code, Unloaded
from serving.model_server.metrics import ServerMetrics
from serving.model_server.servable import DEFAULT, Servable
from serving.model_server.versions import Versions

SECONDS = 30.0  # deadline of a call that has none, and the longest deadline (SERVE-2)
CHOICES = 3  # attempts to choose a version: one may be unloaded meanwhile, but only after another one is available

Answer = tuple[int, dict[str, npt.NDArray[np.generic]]]


async def predict(
    versions: Versions, metrics: ServerMetrics, model: str, number: int | None, label: str | None, signature: str,
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
    timeout = SECONDS if seconds is None else min(seconds, SECONDS)
    try:
        version, answer = _queued(versions, model, number, label, signature or DEFAULT, arrays, time.monotonic() + timeout)
        return version, await asyncio.wait_for(asyncio.wrap_future(answer), timeout)
    except CallError as error:
        code = error.code.name
        raise
    except TimeoutError:
        code = Code.DEADLINE_EXCEEDED.name
        raise CallError(Code.DEADLINE_EXCEEDED, "the deadline passed before the answer was there") from None
    except asyncio.CancelledError:
        code = Code.CANCELLED.name
        raise
    except Exception as error:
        code = Code.INTERNAL.name
        reason = next(iter(str(error).splitlines()), "")[:300]
        print(f"model_server: a call of version {version} of {model} failed: {type(error).__name__}: {reason}", file=sys.stderr, flush=True)
        raise CallError(Code.INTERNAL, "the model could not be run") from None
    finally:
        metrics.called(model, version, code, time.perf_counter() - started)


def _queued(
    versions: Versions, model: str, number: int | None, label: str | None, signature: str, arrays: Callable[[Mapping[str, Any]], Any],
    deadline: float,
) -> tuple[int, "Future[dict[str, npt.NDArray[np.generic]]]"]:  # fmt: skip
    for attempt in range(1, CHOICES + 1):
        chosen = versions.choose(model, number, label)
        servable = cast(Servable, chosen.servable)
        inputs = arrays(servable.spec(signature))
        try:
            return chosen.number, servable.batcher(signature).submit(inputs, deadline)
        except Unloaded:  # unloaded meanwhile: the label, or the newest version, is another one now
            if number is not None or attempt == CHOICES:
                raise
    raise AssertionError("the last attempt returns or raises")
