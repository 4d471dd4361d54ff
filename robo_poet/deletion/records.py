"""The journal of a deletion in progress, and the receipts of finished deletions (DATA-4). Neither contains personal data.

<folder>/journal.json                what is still to do; it exists only from the first change to the last
<folder>/receipts/<time>-<id>.json   what was done
"""

import fcntl
import json
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from robo_poet.atomic import sync_folder, write_text
from robo_poet.errors import BadInput, read_object
from robo_poet.permissions import make_private_folder

JOURNAL, RECEIPTS, FORM, PRIVATE = "journal.json", "receipts", 1, 0o600
_RECEIPT = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}\.json")


@dataclass(frozen=True)
class Journal:
    """Everything that a deletion has to do. Each part is safe to repeat, so a killed deletion is finished by doing all of it again.

    Args:
        receipt: file name of the receipt.
        digests: keyed digests for the suppression list.
        units: (kind, path) of each folder or file to remove.
        requests: folder of the request log; empty if no record is removed.
        completions: ids of completions to remove from the request log.
        pseudonyms: users whose records are removed from the request log.
        content: content of the receipt.
    """

    receipt: str
    digests: tuple[str, ...]
    units: tuple[tuple[str, str], ...]
    requests: str
    completions: tuple[str, ...]
    pseudonyms: tuple[str, ...]
    content: Mapping[str, Any] = field(default_factory=dict)


def new_receipt_name(now: datetime | None = None) -> str:
    """Return a file name for a receipt, such as `20260301T183000Z-5a1c.json`."""
    return f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}.json"


def write_journal(folder: Path, journal: Journal) -> None:
    """Write the journal durably."""
    write_text(folder / JOURNAL, json.dumps({"form": FORM, **asdict(journal)}, indent=1), durable=True, mode=PRIVATE)


def read_journal(folder: Path) -> Journal | None:
    """Return the journal of a deletion that was interrupted; None if there is none.

    Raises:
        BadInput: the journal is damaged or of another form.
    """
    path = folder / JOURNAL
    if not path.exists():
        return None
    content = read_object(path)
    if content.pop("form", None) != FORM:
        raise BadInput("the journal is of another form", where=str(path), remedy="finish the deletion with the release that began it")
    try:
        digests, completions, pseudonyms = (tuple(map(str, content[name])) for name in ("digests", "completions", "pseudonyms"))
        units = tuple((str(kind), str(unit)) for kind, unit in content["units"])
        receipt, requests = str(content["receipt"]), str(content["requests"])
        journal = Journal(receipt, digests, units, requests, completions, pseudonyms, dict(content["content"]))
    except (TypeError, ValueError, KeyError):
        raise BadInput("the journal is damaged", where=str(path), remedy="repeat the deletion, and remove this file") from None
    if not _RECEIPT.fullmatch(journal.receipt):
        raise BadInput("the journal is damaged", where=str(path), remedy="repeat the deletion, and remove this file")
    return journal


def finish(folder: Path, journal: Journal) -> Path:
    """Write the receipt durably, remove the journal, and return the path of the receipt."""
    path = folder / RECEIPTS / journal.receipt
    make_private_folder(path.parent)
    write_text(path, json.dumps({"form": FORM, **journal.content}, indent=1) + "\n", durable=True, mode=PRIVATE)
    (folder / JOURNAL).unlink(missing_ok=True)
    sync_folder(folder)
    return path


def read_receipts(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the receipts by file name, oldest first.

    Raises:
        BadInput: a receipt is damaged.
    """
    paths = sorted(path for path in (folder / RECEIPTS).glob("*.json") if _RECEIPT.fullmatch(path.name))
    return {path.name: read_object(path) for path in paths}


def receipts_of(folder: Path, digests: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the receipts whose selection or documents have one of these keyed digests."""
    wanted = set(digests)
    return {
        name: receipt
        for name, receipt in read_receipts(folder).items()
        if wanted & {*receipt.get("selection", ()), *receipt.get("documents", ())}
    }


@contextmanager
def only_deletion(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder, so that one deletion runs at a time.

    Raises:
        BadInput: another deletion runs.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BadInput("another deletion is running", where=str(folder), remedy="wait until it ends") from None
    finally:
        os.close(handle)


def check_no_interrupted_deletion(folder: Path, remedy: str) -> None:
    """Raise BadInput if a deletion was interrupted: the cache may still contain what was to be removed."""
    if (folder / JOURNAL).exists():
        raise BadInput("a deletion was interrupted", where=str(folder / JOURNAL), remedy=remedy)
