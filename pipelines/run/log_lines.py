"""What a step says on its log, line by line: `[ 42 %] text`, `warning: …`, `error: …` (architecture, "A step")."""

import re
import signal
from collections import deque
from pathlib import Path

_PROGRESS = re.compile(r"\[ *(\d{1,3}) ?%\] ?(.*)")
TAIL = 3


def progress(line: str) -> tuple[int, str] | None:
    """Percent and text of a progress line."""
    match = _PROGRESS.match(line)
    return (min(int(match[1]), 100), match[2].strip()) if match else None


def warning(line: str) -> str:
    """The text of a warning line, or nothing."""
    return line.removeprefix("warning: ").strip() if line.startswith("warning: ") else ""


def warnings_in(log: Path, start: int) -> tuple[str, ...]:
    """The warnings of a log from byte `start` on, each once."""
    return tuple(dict.fromkeys(text for line in _lines(log, start) if (text := warning(line))))


def reason(log: Path, start: int, status: int) -> str:
    """Why a step failed, in one line: what it says itself, else its last lines and how it ended."""
    last: deque[str] = deque(maxlen=TAIL)
    said = ""
    for line in _lines(log, start):
        if line.startswith("error: "):
            said = line.removeprefix("error: ").strip()
        if line.strip() and not progress(line):
            last.append(line.strip()[:200])
    if said:
        return said
    if status == -signal.SIGKILL:
        how = "killed by SIGKILL — out of memory?"
    else:
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    return f"{how}: {' | '.join(last)}" if last else how


def _lines(log: Path, start: int) -> list[str]:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace").splitlines()
