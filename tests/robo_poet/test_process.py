"""A child process ends with its killed parent."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import signal, subprocess, sys, time
from robo_poet.process import dies_with_parent
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], preexec_fn=dies_with_parent(signal.Signals[sys.argv[2]]))
print(child.pid, flush=True)
time.sleep(60)
"""
FINISHES = """
import pathlib, signal, sys, time
def finish(*_):
    pathlib.Path({left!r}).write_text("finished")
    sys.exit()
signal.signal(signal.SIGTERM, finish)
pathlib.Path({left!r}).write_text("ready")
time.sleep(60)
"""


def gone(pid: int) -> bool:
    """Return True if the process has ended, also if it is still a zombie."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(("sent", "last"), [(signal.SIGKILL, "ready"), (signal.SIGTERM, "finished")])
def test_a_child_ends_with_a_killed_parent(tmp_path: Path, sent: signal.Signals, last: str) -> None:
    left = tmp_path / "left"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, FINISHES.format(left=str(left)), sent.name], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    end = time.monotonic() + 30
    while not left.exists() or left.read_text() == "":
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not gone(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    while not gone(child):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert left.read_text() == last
