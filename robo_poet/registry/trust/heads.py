"""The highest head of each log that this user has seen, kept outside the registry (REG-1).

The hash chain and the signatures do not show that a log was shortened, or replaced by an older copy of itself: both are valid logs. So each
reader remembers the position and the SHA-256 of the newest entry that it has read, by the address of the log.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from robo_poet.atomic import write_text
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.permissions import make_private_folder


@dataclass(frozen=True)
class Head:
    """The newest entry of a log: its index from 1 and the SHA-256 of its bytes. An empty log has index 0 and an empty SHA-256."""

    index: int
    sha256: str


class Heads:
    """The remembered heads.

    If the folder cannot be written, for example in a pod without a volume for it, this process remembers the heads that it reads itself.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, Head] = {}

    def path(self, address: str) -> Path:
        """Return the file of the log with this address."""
        return self.folder / f"{digest_bytes(address.encode())[:32]}.json"

    def read(self, address: str) -> Head | None:
        """Return the head that was remembered for a log, None if it was never read.

        Raises:
            BadInput: the file is damaged.
        """
        return self._stored(address) or self._seen.get(address)

    def _stored(self, address: str) -> Head | None:
        path = self.path(address)
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise BadInput(f"the remembered head cannot be read ({error.strerror})", where=str(path)) from None
        try:
            raw = json.loads(data)
            return Head(int(raw["index"]), str(raw["sha256"]))
        except (ValueError, TypeError, KeyError):
            remedy = "check the log, then remove this file"
            raise BadInput("the file of a remembered head is damaged", where=str(path), remedy=remedy) from None

    def remember(self, address: str, head: Head) -> None:
        """Remember a head if it is higher than the remembered one."""
        self._seen[address] = head
        try:
            with self._locked():
                known = self._stored(address)
                if known is None or known.index < head.index:
                    self._write(address, head)
        except OSError:
            return  # a read-only folder: see the docstring of the class

    def replace(self, address: str, head: Head) -> None:
        """Remember another head, also a lower one. Running readers take it, too.

        Raises:
            BadInput: the folder cannot be written.
        """
        self._seen.pop(address, None)
        try:
            with self._locked():
                self._write(address, head)
        except OSError as error:
            raise BadInput(f"the head cannot be remembered ({error.strerror})", where=str(self.folder)) from None

    def addresses(self) -> list[str]:
        """Return the addresses of all remembered logs with at least one entry."""
        addresses: set[str] = set()
        for path in self.folder.glob("*.json"):
            try:
                raw = json.loads(path.read_bytes())
                addresses |= {str(raw["address"])} if raw["index"] else set()
            except (OSError, ValueError, TypeError, KeyError):
                continue  # `read` reports it if the log is read
        return sorted(addresses)

    def _write(self, address: str, head: Head) -> None:
        text = json.dumps({"address": address, "index": head.index, "sha256": head.sha256}, indent=1)
        write_text(self.path(address), text + "\n", mode=0o600)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time compare and write, so that a slower reader does not write an older head over a newer one."""
        make_private_folder(self.folder)
        handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
