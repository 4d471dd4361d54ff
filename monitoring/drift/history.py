"""The judged windows of a model: one JSON file and one snapshot for each window and version, in the folder of the watcher.

A window is judged once. The file is written after the snapshot, in one rename, so a killed watcher judges the window again.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monitoring.drift.snapshot import read_snapshot, write_snapshot
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.judges.drift.observations import Window

FORM = 1
KEPT = 400  # windows of a version; more than a year of days


@dataclass(frozen=True)
class Judged:
    """A judged window.

    Attributes:
        version: number of the version that answered.
        digest: digest of the version.
        baseline: digest of the baseline; empty without one.
        start, end: of the window, in seconds since 1970.
        snapshot: digest of the window's snapshot.
        judged: time of the verdict, in seconds since 1970.
        row: see `monitoring.drift.report.window_row`.
        action, reasons, cause, evidence: the verdict, see `DriftVerdict`.
    """

    version: int
    digest: str
    baseline: str
    start: float
    end: float
    snapshot: str
    judged: float
    row: dict[str, Any]
    action: str
    reasons: list[str]
    cause: str
    evidence: dict[str, Any]


class History:
    """The judged windows of a model.

    Args:
        folder: created with the first window.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def judged(self, digest: str = "") -> list[Judged]:
        """Return the judged windows, oldest first.

        Args:
            digest: only those of this version; empty: those of all versions.

        Raises:
            BadInput: a file is damaged or of another form; the message names it.
        """
        verdicts = [_read(path) for path in self._files(digest)]
        return sorted(verdicts, key=lambda window: (window.start, window.judged))

    def window(self, judged: Judged) -> Window:
        """Return the window of a verdict from its snapshot. Raises BadInput if the snapshot is missing or was changed."""
        return read_snapshot(self._path(judged.digest, judged.start).with_suffix(".parquet"), judged.snapshot)

    def snapshot(self, digest: str, window: Window) -> str:
        """Write the snapshot of a window of the version with this digest. Return the digest of the snapshot."""
        return write_snapshot(self._path(digest, window.start).with_suffix(".parquet"), window)

    def add(self, judged: Judged) -> None:
        """Record a verdict. It replaces an earlier one on the same window. The oldest windows above `KEPT` are removed."""
        text = json.dumps({"form": FORM} | asdict(judged), indent=1, sort_keys=True) + "\n"
        write_text(self._path(judged.digest, judged.start), text, durable=True)
        for path in sorted(self._files(judged.digest))[:-KEPT]:
            path.unlink(missing_ok=True)
            path.with_suffix(".parquet").unlink(missing_ok=True)

    def _path(self, digest: str, start: float) -> Path:
        return self._folder / digest[:16] / f"{start:014.3f}.json"

    def _files(self, digest: str) -> Iterator[Path]:
        return self._folder.glob(f"{digest[:16] or '*'}/*.json")


def _read(path: Path) -> Judged:
    try:
        data = json.loads(path.read_text("utf-8"))
        if data.pop("form") != FORM:
            raise ValueError("another form")
        return Judged(**data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"not a judged window ({error})", where=str(path), remedy="remove it, and the window is judged again") from None
