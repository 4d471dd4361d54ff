"""One predict call, whichever protocol it came by: choose, check, queue, wait, and stop waiting when nobody waits for us."""

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

SECONDS = 30.0  # a call without a deadline has this one (SERVE-2)
CHOICES = 3  # a version is unloaded only when another one serves, so that the second is there

Answer = tuple[int, dict[str, npt.NDArray[np.generic]]]


async def predict(
    versions: Versions, metrics: ServerMetrics, model: str, number: int | None, label: str | None, signature: str,
    arrays: Callable[[Mapping[str, Any]], Any], seconds: float | None = None,
) -> Answer:  # fmt: skip
    """Answer a call, say which version did, and count it.

    Args:
        arrays: makes the inputs, given the signature's specs.
        seconds: that are left.

    Raises:
        CallError: whatever is wrong with it; INTERNAL, where that is not the caller's, who reads nothing of our insides.
    """
    begun, code, served = time.perf_counter(), "OK", number or 0
    left = SECONDS if seconds is None else min(seconds, SECONDS)
    try:
        served, answer = _queued(versions, model, number, label, signature or DEFAULT, arrays, time.monotonic() + left)
        return served, await asyncio.wait_for(asyncio.wrap_future(answer), left)
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
        told = next(iter(str(error).splitlines()), "")[:300]
        print(f"model_server: a call of version {served} of {model} failed: {type(error).__name__}: {told}", file=sys.stderr, flush=True)
        raise CallError(Code.INTERNAL, "the model could not be run") from None
    finally:
        metrics.called(model, served, code, time.perf_counter() - begun)


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
        except Unloaded:  # it went meanwhile: a label or the newest is another one by now
            if number is not None or attempt == CHOICES:
                raise
    raise AssertionError("the last attempt returns or raises")
