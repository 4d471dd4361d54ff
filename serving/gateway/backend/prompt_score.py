"""Likelihood of a prompt under the version that continued it, for the request log (MON-3)."""

import asyncio
import math
import time
from collections.abc import Callable

import numpy as np

from robo_poet.model.completion import own_log_probs, scored_tokens
from robo_poet.request_log.record import Request, Score
from serving.gateway.backend.model_client import ModelClient, VersionGone
from serving.gateway.backend.versions import ServedVersions
from serving.refusal import Refused

SECONDS = 5.0  # timeout of a score call


class PromptScore:
    """A function that scores prompts with the `score` signature of the model server.

    The request log calls it in its own thread. The model server call itself runs in the event loop.

    Args:
        seen: called for each score with version, arm, nats and tokens.
    """

    def __init__(self, client: ModelClient, versions: ServedVersions, seen: Callable[[int, str, float, int], None]) -> None:
        self._client, self._versions, self._on_score = client, versions, seen

    def __call__(self, record: Request) -> Score | None:
        """Return the sum of the tokens' cross-entropy in nats.

        Return None if the version is no longer served, the prompt may not be written to the log, or the call fails.
        """
        served = self._versions.find(record.version)
        if served is None or record.prompt is None:
            return None
        tokens = scored_tokens(served.tokenizer, record.prompt)
        inputs = {"tokens": np.asarray([tokens], np.int32)}
        call = self._client.predict(served.number, "score", inputs, time.monotonic() + SECONDS, record.request_id)
        try:
            outputs = asyncio.run_coroutine_threadsafe(call, self._client.loop).result(SECONDS)
            log_probs = own_log_probs(tokens, outputs["log_prob"][0])
        except (VersionGone, Refused, KeyError, IndexError, TypeError, ValueError, TimeoutError):
            return None
        score = Score(-math.fsum(log_probs), len(log_probs))
        self._on_score(served.number, record.arm, score.nats, score.tokens)
        return score
