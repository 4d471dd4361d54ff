"""`robo-poet replay` to its end: all programs are real. It takes 11 minutes, so only `make soak` runs it."""

import json

import pytest

from tests.e2e.conftest import Shell
from tests.infra.monitored import needs_both


@needs_both
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_loop_happens_as_told(shell: Shell) -> None:
    printed = shell.type("replay", seconds=1700)
    record = json.loads((shell.folder / ".replay" / "record.json").read_text())
    page = (shell.folder / ".replay" / "replay.html").read_text()
    assert [act["status"] for act in record["acts"]] == 5 * ["done"] and record["error"] == "", printed
    assert record["failed"] == 0 and record["asked"] > 1000
    assert [request["made"] for request in record["requests"]] == [4]
    assert "✓ all acts happened" in page and "version 3: rolled back" in page
    decided = [(decision["action"], decision["version"]) for decision in record["decisions"]]
    assert [number for action, number in decided if action == "promoted"] == [1, 2, 4]
