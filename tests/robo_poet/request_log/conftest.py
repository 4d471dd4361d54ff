from collections.abc import Callable
from typing import Any

import pytest

from robo_poet.request_log.record import Request

NOON = 1_772_366_400.0  # 2026-03-01 12:00 UTC


@pytest.fixture
def request_of() -> Callable[..., Request]:
    """A request by its number; fields can be given."""

    def make(number: int, **fields: Any) -> Request:
        given: dict[str, Any] = {
            "completion_id": f"c{number}", "request_id": f"r{number}", "time": NOON + number, "user": "u", "model": "poems", "version": 3, "digest": "d" * 64,
            "arm": "champion", "prompt": "the night", "completions": ["falls softly"], "parameters": {"temperature": 0.8}, "seconds": 0.05,
            "tokens": [100], "finish_reasons": ["length"], "completion_perplexities": [20.5],
        }  # fmt: skip
        return Request(**given | fields)

    return make
