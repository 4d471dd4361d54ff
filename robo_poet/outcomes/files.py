"""The files of the outcome log of a model: one for each process and hour (UTC), and what is done to them: age, and deletion of a user.

<folder>/outcomes-2026-03-01T14-<writer>.jsonl
"""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

_NAME = re.compile(r"outcomes-(\d{4}-\d\d-\d\dT\d\d)-([0-9a-f]{16})\.jsonl")
_HOUR = "%Y-%m-%dT%H"


class OutcomeFile(NamedTuple):
    """A file: the hour of its first record (UTC), the id of the process that writes it, and its path."""

    hour: str
    writer: str
    path: Path


def hour_of(seconds: float) -> str:
    """Return the hour (UTC) of a time in seconds since 1970, as it stands in file names."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_HOUR)


def file_name(seconds: float, writer: str) -> str:
    """Return the name of the file that a process writes at a time."""
    return f"outcomes-{hour_of(seconds)}-{writer}.jsonl"


def outcome_files(folder: Path) -> list[OutcomeFile]:
    """Return the files of a folder, the oldest hour first; an empty list if the folder is missing. Other files are ignored."""
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    matches = [match for name in names if (match := _NAME.fullmatch(name))]
    return sorted(OutcomeFile(match[1], match[2], folder / match[0]) for match in matches)


def is_written(path: Path) -> bool:
    """Return True if a living process writes the file. The kernel releases the lock of a process that ends, also after `kill -9`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(handle)
    return False


def old_files(folder: Path, now: float, keep_days: int) -> list[Path]:
    """Return the files whose hour began more than `keep_days` before `now` (seconds since 1970)."""
    first = (datetime.fromtimestamp(now, UTC) - timedelta(days=keep_days)).strftime(_HOUR)
    return [file.path for file in outcome_files(folder) if file.hour < first]


def remove_old(folder: Path, now: float, keep_days: int) -> int:
    """Remove the old files, see `old_files`. Return their number."""
    removed = 0
    for path in old_files(folder, now, keep_days):
        with contextlib.suppress(OSError):
            path.unlink()
            removed += 1
    return removed


def outcomes_of(requests: Path) -> Path:
    """Return the folder of the outcomes of a gateway, from the folder of its request log."""
    return requests.resolve().parent / "outcomes"


def model_folders(root: Path) -> list[Path]:
    """Return the folders of all models below `root`, the folder `outcomes` of a gateway; an empty list if it is missing."""
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink()) if root.is_dir() else []


def forget(root: Path, user: str) -> int:
    """Blank the outcomes, ratings and scores of the pseudonym `user`, for all models. Return the number of blanked lines.

    Each line is overwritten in its place, so a process can go on writing to the file. An outcome keeps its number and its arm: otherwise
    it would count as lost. It is safe to repeat.

    Raises:
        OSError: a file cannot be written.
    """
    blanked = 0
    for file in _all_files(root):
        with os.fdopen(os.open(file.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b", buffering=0) as opened:
            before, status = blanked, os.fstat(opened.fileno())
            for offset, line, blank in _lines_of(file.path, user):
                os.pwrite(opened.fileno(), blank.ljust(len(line)), offset)
                blanked += 1
            if blanked > before:
                os.fsync(opened.fileno())
                os.utime(opened.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))  # the time is the sign of life of a gateway
    return blanked


def count_of_user(root: Path, user: str) -> int:
    """Return the number of lines about a pseudonym, for all models."""
    return sum(1 for file in _all_files(root) for _ in _lines_of(file.path, user))


def _all_files(root: Path) -> list[OutcomeFile]:
    return [file for folder in model_folders(root) for file in outcome_files(folder)]


def _lines_of(path: Path, user: str) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield (offset, line without its end, line that replaces it) for each line about a user."""
    offset, needle = 0, json.dumps(user).encode()
    with path.open("rb") as opened:
        for line in opened:
            if needle in line and line.endswith(b"\n") and (blank := _blank(line, user)) is not None:
                yield offset, line[:-1], blank
            offset += len(line)


def _blank(line: bytes, user: str) -> bytes | None:
    """Return a line without the user, which is shorter; None if the line is not about this user."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict) or fields.get("user") != user:
        return None
    kept = {"kind": "forgotten", **{name: fields[name] for name in ("n", "seq", "running") if name in fields}}
    return json.dumps(kept, separators=(",", ":")).encode()
