"""Scores a sample of a version's own held-out text with the served version, as live prompts are scored (MON-4).

The text is that of the version's model card: prompts and references of the test split, without personal data. Text and version never
change, so the score does not either. A rise shows that what the model server serves is not the registered model any more.
"""

import http.client
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from robo_poet.digest import digest_json
from robo_poet.errors import BadInput, parse_object
from robo_poet.judges.drift.observations import HeldOut
from robo_poet.model.completion import own_log_probs, scored_tokens
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.model_server import client_context
from robo_poet.registry.versions.version import Version
from robo_poet.settings.serve import ServeSettings

CARD, TOKENIZER = "card.json", "tokenizer"  # of a version
SAMPLES = ("drawn", "good", "bad")  # of the card; `good` and `bad` have references
MOST_TEXTS = 16
MOST_BYTES = 1 << 20  # of an answer; the scores of 512 tokens take 10 kB
CALL_SECONDS, ALL_SECONDS = 5.0, 30.0  # longest time of a call, as for a live prompt, and of all calls
PART_BYTES = 1 << 16  # of an answer, between two looks at the clock
DIGITS = 6  # of nats per token; batches of other sizes differ in the seventh


class NoScore(BadInput):
    """The model server does not answer, or gives no valid score. A later attempt may succeed."""


class HeldOutScorer:
    """Scores the held-out text of versions.

    Args:
        settings: section `serve` of the profile: the model server, and its encryption.

    Raises:
        BadInput: the texts would be sent to another machine without encryption, or a certificate cannot be used.
    """

    def __init__(self, settings: ServeSettings) -> None:
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if context := client_context(settings):
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._address, self._opener = settings.model_server, urllib.request.build_opener(*handlers)

    def __call__(self, version: Version) -> HeldOut:
        """Return the score of a version. If a text cannot be scored, the result has no score, and says why."""
        try:
            texts = held_out_texts(parse_object(version.read(CARD).decode("utf-8", "replace"), where=CARD))
            if not texts:
                return HeldOut(doubt="the card of the version has no held-out text")
            tokenizer = _tokenizer(version)
            rows = [row for text in texts if len(row := scored_tokens(tokenizer, text)) > 1]
            nats = self._score(version, rows)
        except BadInput as error:
            return HeldOut(doubt=str(error), passing=isinstance(error, NoScore))
        if not nats or not all(map(math.isfinite, nats)):
            return HeldOut(doubt="the model server gives scores that are not finite")
        return HeldOut(round(math.fsum(nats) / len(nats), DIGITS), digest_json(texts), "")

    def _score(self, version: Version, rows: Sequence[Sequence[int]]) -> list[float]:
        """Return the cross-entropy of all tokens in nats."""
        nats, end = list[float](), time.monotonic() + ALL_SECONDS
        for row in rows:
            seconds = min(CALL_SECONDS, end - time.monotonic())
            if seconds <= 0:
                raise NoScore(f"the model server took more than {ALL_SECONDS:g} s", where=self._address)
            nats += [-log_prob for log_prob in self._log_probs(version, row, seconds)]
        return nats

    def _log_probs(self, version: Version, row: Sequence[int], seconds: float) -> list[float]:
        url = f"{self._address}/v1/models/{version.model}/versions/{version.number}:predict"
        body = json.dumps({"signature_name": "score", "inputs": {"tokens": [row]}}).encode()
        try:
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
            with self._opener.open(request, timeout=seconds) as answer:
                outputs = json.loads(_read(answer, time.monotonic() + seconds))["outputs"]["log_prob"][0]
            return own_log_probs(row, outputs)
        except urllib.error.HTTPError as error:
            error.close()
            gone = error.code == HTTPStatus.NOT_FOUND
            what = f"the model server does not serve {version.name}" if gone else f"the model server answers {error.code}"
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            what = f"the model server cannot be reached ({getattr(reason, 'strerror', None) or reason})"
        except (ValueError, KeyError, IndexError, TypeError):
            what = "the model server gives no valid score"
        raise NoScore(what, where=self._address, remedy="check serve.model_server")


def _read(answer: http.client.HTTPResponse, end: float) -> bytes:
    """Return the body of an answer. The timeout of a connection is that of each part, so the clock is looked at between them.

    Raises:
        TimeoutError: it takes longer than until `end`.
        ValueError: it has more than MOST_BYTES.
    """
    body = b""
    while part := answer.read1(PART_BYTES):
        body += part
        if time.monotonic() > end:
            raise TimeoutError("the answer takes too long")
        if len(body) > MOST_BYTES:
            raise ValueError("the answer is too long")
    return body


def held_out_texts(card: Mapping[str, Any]) -> list[str]:
    """Return the held-out texts of a card: its prompts, each with its reference if it has one. The completions do not count.

    Raises:
        BadInput: the samples have another form.
    """
    texts = dict[str, None]()
    try:
        for name in SAMPLES:
            for sample in card["samples"].get(name, ()):
                texts[f"{sample['prompt']}{sample.get('reference', '')}"] = None
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"the samples of the card have another form ({error})", where=CARD) from None
    return [text for text in texts if text.strip()][:MOST_TEXTS]


def _tokenizer(version: Version) -> Tokenizer:
    """Return the tokenizer of a version, its files checked against their digests."""
    names = [name for name in version.manifest().files if name.startswith(f"{TOKENIZER}/")]
    for name in names:
        version.read(name)
    return Tokenizer.load(version.fetch(names) / TOKENIZER)
