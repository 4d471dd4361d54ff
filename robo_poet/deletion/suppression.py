"""The list of suppressed documents, which ingest reads, so that a source cannot bring a deleted document back (DATA-4).

The folder has two files, both with mode 0600:

    key                32 random bytes
    suppressed.json    {"form": 1, "key": digest that belongs to the key, "digests": ["author:…", "source:…", "text:…"]}

A digest is an HMAC-SHA256 of the comparable text. Without the key it is impossible to test whether a text is on the list.
"""

import hmac
import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from robo_poet.atomic import new_file, write_text
from robo_poet.corpus.document import Document
from robo_poet.corpus.words import comparable
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput, read_object
from robo_poet.permissions import check_private, make_private_folder

KEY, LIST, FORM, KEY_BYTES = "key", "suppressed.json", 1, 32
PRIVATE = 0o600
RESTORE = "restore the folder from a backup"


@dataclass(frozen=True)
class Suppression:
    """The key and the digests of a list."""

    key: bytes = field(repr=False)
    digests: frozenset[str]

    def digest(self, kind: str, value: str) -> str:
        """Return the keyed digest of a value, such as `text:5a…`.

        Args:
            kind: `text`, `author` or `source` on the list; receipts have further kinds.
        """
        return f"{kind}:{hmac.new(self.key, f'{kind} {comparable(value)}'.encode(), 'sha256').hexdigest()}"

    def suppresses(self, document: Document) -> bool:
        """Return True if the text, the author or the source of a document is on the list."""
        values = (("text", document.text), ("author", document.author), ("source", document.source))
        return any(self.digest(kind, value) in self.digests for kind, value in values if value and kind in self.kinds)

    @property
    def kinds(self) -> set[str]:
        """Return the kinds of digests on the list."""
        return {digest.partition(":")[0] for digest in self.digests}

    def allowed(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the documents that are not suppressed."""
        return (document for document in documents if not self.suppresses(document))


def read_suppression(folder: Path) -> Suppression | None:
    """Read the list in `folder`; None if there is none yet.

    Raises:
        BadInput: the key is missing or readable for others, belongs to another list, or the list is damaged or of another form.
    """
    path, key_path = folder / LIST, folder / KEY
    if not path.exists() and not key_path.exists():
        return None
    if not key_path.exists():
        raise BadInput("the key of the suppression list is missing", where=str(key_path), remedy=RESTORE)
    if "KUBERNETES_SERVICE_HOST" not in os.environ:  # a mounted secret belongs to root; the pod has one user
        check_private(key_path, "key of the suppression list")
    key = key_path.read_bytes()
    if len(key) != KEY_BYTES:
        raise BadInput(f"the key has {len(key)} bytes, not {KEY_BYTES}", where=str(key_path), remedy=RESTORE)
    if not path.exists():
        return Suppression(key, frozenset())
    content = read_object(path)
    if content.get("form") != FORM:
        raise BadInput(f"the list has form {content.get('form')!r}, this program reads form {FORM}", where=str(path), remedy=RESTORE)
    digests = content.get("digests")
    if not isinstance(digests, list) or not all(isinstance(digest, str) for digest in digests):
        raise BadInput("the list is damaged", where=str(path), remedy=RESTORE)
    if content.get("key") != _check_digest(key):
        raise BadInput("the key belongs to another list", where=str(key_path), remedy=RESTORE)
    return Suppression(key, frozenset(digests))


def open_suppression(folder: Path) -> Suppression:
    """Read the list in `folder`. Create the folder (mode 0700) and the key (mode 0600) if they do not exist.

    Raises:
        BadInput: see `read_suppression`.
    """
    make_private_folder(folder)
    if found := read_suppression(folder):
        return found
    with new_file(folder / KEY, durable=True, mode=PRIVATE) as temporary:
        temporary.write_bytes(secrets.token_bytes(KEY_BYTES))
    return Suppression((folder / KEY).read_bytes(), frozenset())


def add_digests(folder: Path, digests: Collection[str]) -> Suppression:
    """Add digests to the list, durably, and return the new list. It is safe to repeat."""
    current = open_suppression(folder)
    merged = sorted(current.digests | set(digests))
    content = {"form": FORM, "key": _check_digest(current.key), "digests": merged}
    if set(merged) != current.digests or not (folder / LIST).exists():
        write_text(folder / LIST, json.dumps(content, indent=1) + "\n", durable=True, mode=PRIVATE)
    return Suppression(current.key, frozenset(merged))


def list_digest(folder: Path) -> str:
    """Return the digest of the list, an input of the ingestion; empty if there is none."""
    path = folder / LIST
    return digest_bytes(path.read_bytes()) if path.exists() else ""


def ingested_list(folder: str, digest: str) -> Suppression | None:
    """Return the list for an ingestion; None if the run was submitted without one.

    Args:
        folder: folder of the list; empty for none.
        digest: digest of the list at submission; empty accepts the present one.

    Raises:
        BadInput: the list is missing or has changed since the submission.
    """
    if not folder:
        return None
    suppression = read_suppression(Path(folder))
    if not suppression:
        raise BadInput("the suppression list is missing", where=folder, remedy=RESTORE)
    if digest and list_digest(Path(folder)) != digest:
        raise BadInput("the suppression list changed since the run was submitted", where=folder, remedy="submit the run again")
    return suppression


def _check_digest(key: bytes) -> str:
    return hmac.new(key, b"key of this list", "sha256").hexdigest()
