"""One predict call, whichever protocol it came by: choose, check, queue, wait, and stop waiting when nobody waits for us."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from serving.model_server.errors import CallError, Code
from serving.model_server.servable import DEFAULT, Servable
from serving.model_server.versions import Versions

SECONDS = 30.0  # a call without a deadline has this one (SERVE-2)


async def predict(
    versions: Versions, model: str, number: int | None, label: str | None, signature: str, arrays: Callable[[Mapping[str, Any]], Any],
    seconds: float | None = None,
) -> tuple[int, dict[str, npt.NDArray[np.generic]]]:  # fmt: skip
    """Answer a call, and say which version did.

    Args:
        arrays: makes the inputs, given the signature's specs.
        seconds: that are left.

    Raises:
        CallError: whatever is wrong with it.
    """
    chosen = versions.choose(model, number, label)
    servable = cast(Servable, chosen.servable)
    signature = signature or DEFAULT
    inputs = arrays(servable.spec(signature))
    left = SECONDS if seconds is None else min(seconds, SECONDS)
    answer = servable.batcher(signature).submit(inputs, time.monotonic() + left)
    try:
        return chosen.number, await asyncio.wait_for(asyncio.wrap_future(answer), left)
    except TimeoutError:
        raise CallError(Code.DEADLINE_EXCEEDED, "the deadline passed before the answer was there") from None
