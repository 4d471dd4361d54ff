"""Likelihood of a prompt under the version that continued it, for the request log (MON-3)."""

import math
from collections.abc import Callable

import httpx

from robo_poet.model.limits import MAX_LENGTH
from robo_poet.model.tokenizer import START
from robo_poet.request_log.record import Request, Score
from serving.gateway.versions import Versions

SECONDS = 5.0


class PromptScore:
    """Asks the model server's `score`. Called in the request log's thread, beside the answers.

    Args:
        address, model: of the model server, see `ModelClient`.
        seen: is told of each: version, arm, nats, tokens.
    """

    def __init__(self, address: str, model: str, versions: Versions, seen: Callable[[int, str, float, int], None]) -> None:
        self._http = httpx.Client(base_url=f"{address}/v1/models/{model}", timeout=SECONDS, trust_env=False)
        self._versions, self._seen = versions, seen

    def __call__(self, record: Request) -> Score | None:
        """The sum of the tokens' cross-entropy; None if the version is not served any more.

        Raises:
            httpx.HTTPError, KeyError, TypeError, ValueError: the model server gave no likelihood.
        """
        served = self._versions.find(record.version)
        if served is None:
            return None
        tokens = [START, *served.tokenizer.encode(record.prompt)][:MAX_LENGTH]
        body = {"signature_name": "score", "inputs": {"tokens": [tokens]}}
        answer = self._http.post(f"/versions/{served.number}:predict", json=body).raise_for_status().json()
        found = [float(chance) for chance in answer["outputs"]["log_prob"][0]]
        score = Score(-math.fsum(found), len(found))
        self._seen(served.number, record.arm, score.nats, score.tokens)
        return score

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
