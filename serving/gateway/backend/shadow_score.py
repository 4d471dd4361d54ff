"""Shadow scores: canary and champion score the same prompt, so that their quality is compared on equal text (DESIGN, contract 13).

The prompt is the user's own text. A completion would favour the version that wrote it.
"""

import asyncio
import logging
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping

import numpy as np

from robo_poet.model.completion import MAX_LENGTH, own_log_probs
from robo_poet.model.tokenizer import START
from robo_poet.outcomes.record import NO_STEP, AssignedArm, Score
from serving.gateway.backend.model_client import ModelClient, VersionGone
from serving.gateway.backend.versions import Served, ServedVersions
from serving.refusal import Refused

SECONDS = 5.0  # timeout of both calls
SCORES_PER_USER = 5  # in a step: more users tell more than more prompts of one user
USERS = 100_000  # users whose scores are counted
RESULTS = ("scored", "failed", "too_long")

log = logging.getLogger("serving.gateway")


class ShadowScores:
    """A scorer of prompts that runs at most one pair of calls at a time, for a share of the time.

    After a pair that took t seconds it rests for t (1 / share - 1) seconds. So its cost is bounded also on a slow model server.

    Args:
        share: largest share of the time, 0 to 1; 0 for no scores.
        note: called with each score. Of the text, it has only the nats and the number of bytes.
        clock: returns monotonic time in seconds.
    """

    def __init__(
        self, client: ModelClient, versions: ServedVersions, share: float, note: Callable[[AssignedArm, Score], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._client, self._versions, self._share, self._note, self._clock = client, versions, share, note, clock
        self._rests_until = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._users: OrderedDict[tuple[str, int, str], int] = OrderedDict()
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the number of prompts by result: `scored`, `failed`, and `too_long` for the context of a version."""
        return {result: self._counts[result] for result in RESULTS}

    def offer(self, assigned: AssignedArm, user: str, text: str, request_id: str) -> bool:
        """Score a prompt, unless a score is running, resting, or not wanted. Return True if it is scored. It takes microseconds.

        Args:
            user: pseudonym.
        """
        if not self._share or assigned.step == NO_STEP or self._task is not None or self._clock() < self._rests_until:
            return False
        pair, key = self._versions.judged_pair(assigned.experiment), (assigned.experiment, assigned.step, user)
        if pair is None or self._client.waiting or self._users.get(key, 0) >= SCORES_PER_USER:
            return False
        self._users[key] = self._users.pop(key, 0) + 1
        if len(self._users) > USERS:
            self._users.popitem(last=False)
        self._task = asyncio.get_running_loop().create_task(self._score(assigned, user, text, request_id, *pair))
        return True

    async def close(self) -> None:
        """Stop a running score."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _score(self, assigned: AssignedArm, user: str, text: str, request_id: str, canary: Served, champion: Served) -> None:
        began = self._clock()
        try:
            nats = [await self._nats(served, text, request_id) for served in (canary, champion)]
            if None in nats:
                self._counts["too_long"] += 1
            else:
                canary_nats, champion_nats = (float(value or 0.0) for value in nats)
                self._note(assigned, Score(time.time(), user, canary_nats, champion_nats, len(text.encode())))
                self._counts["scored"] += 1
        except (VersionGone, Refused, KeyError, IndexError, TypeError, ValueError):
            self._counts["failed"] += 1
        except Exception:
            log.exception("shadow score failed")
            self._counts["failed"] += 1
        finally:
            self._rests_until = self._clock() + (self._clock() - began) * (1 / self._share - 1)
            self._task = None

    async def _nats(self, served: Served, text: str, request_id: str) -> float | None:
        """Return the cross-entropy of the whole text; None if it does not fit into the context, because a part would be other bytes.

        Raises:
            VersionGone, Refused: see `ModelClient.predict`.
            KeyError, IndexError, TypeError, ValueError: the answer is not valid.
        """
        tokens = [START, *served.tokenizer.encode(text)]
        if len(tokens) > MAX_LENGTH:
            return None
        inputs = {"tokens": np.asarray([tokens], np.int32)}
        outputs = await self._client.predict(served.number, "score", inputs, time.monotonic() + SECONDS, request_id)
        log_probs = own_log_probs(tokens, outputs["log_prob"][0])
        if not all(map(math.isfinite, log_probs)):
            raise ValueError("log_prob")
        return -math.fsum(log_probs)
