"""A request log with scored prompts, written by the real writer."""

import math
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from robo_poet.request_log.record import Request
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
DIGEST = "d" * 64


class Sent(NamedTuple):
    """A prompt: `nats` per token, None if it was not scored."""

    user: str
    nats: float | None
    prompt: str | None = "the night falls softly upon the hills"
    tokens: int = 8
    day: float = 0.5
    digest: str = DIGEST
    status: int = 200
    client: str = ""


def write_log(folder: Path, prompts: Iterable[Sent]) -> Path:
    """Write the prompts to a request log, in this order."""
    log = Writer(folder, RequestLogSettings())
    for number, sent in enumerate(prompts):
        moment = (FIRST + timedelta(days=sent.day)).timestamp() + number / 1000
        request = Request(
            f"c{number}", f"r{number}", moment, sent.user, "poems", 1, sent.digest, "champion", sent.prompt, ["falls"], {}, 0.05, 0.04, sent.tokens,
            [5], [20.0], ["stop"], sent.status,
            client=sent.client,
        )  # fmt: skip
        score = {} if sent.nats is None else {"prompt_perplexity": math.exp(sent.nats), "prompt_scored_tokens": sent.tokens}
        assert log.add("request", asdict(request) | score)
    log.close()
    return folder
