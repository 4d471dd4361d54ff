import resource
import sys
from pathlib import Path

import pytest

from robo_poet.request_log.heap import give_back


def resident() -> float:
    """Megabytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_lies_between_texts_that_stay_goes_back() -> None:
    texts = ["x" * (600 + number % 900) for number in range(200_000)]
    kept = texts[::400]  # holes on every page, some of them whole pages long
    full = resident()
    del texts
    give_back()
    assert resident() < full - 100 and len(kept) == 500
