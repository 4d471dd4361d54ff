"""The evidence of each move, as a JSON file that is named by its SHA-256. The registry's log records the digest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robo_poet.atomic import write_text
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput


class Evidence:
    """A folder of evidence files. A file is written before the move that it justifies, so a kill leaves at most a file without a move."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, evidence: Mapping[str, Any]) -> str:
        """Store the evidence and return its SHA-256. It is safe to repeat."""
        text = json.dumps(evidence, allow_nan=False, sort_keys=True, indent=1) + "\n"
        digest = digest_bytes(text.encode())
        path = self._folder / f"{digest}.json"
        if not path.is_file():
            write_text(path, text, durable=True)
        return digest

    def read(self, digest: str) -> dict[str, Any]:
        """Return the evidence with this digest.

        Raises:
            BadInput: the file is missing or was changed.
        """
        path = self._folder / f"{digest}.json"
        try:
            data = path.read_bytes()
        except OSError:
            raise BadInput("the evidence is missing", where=str(path), remedy="look on the machine of the controller") from None
        if digest_bytes(data) != digest:
            raise BadInput("the evidence was changed after it was written", where=str(path))
        value: dict[str, Any] = json.loads(data)
        return value
