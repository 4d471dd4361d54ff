"""A snapshot of the prompts that readers sent to a model: numbers only, never a text (DATA-1).

    <registry>/<model>/prompts/<digest>.json

A snapshot is named by the SHA-256 of its content and never changes. A run names it, and its text is a parameter of the run.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_poet.atomic import write_text
from robo_poet.commands import command
from robo_poet.corpus.document import Document
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput, parse_object
from robo_poet.features.distributions import Columns, Distributions, FeatureCounts, is_count, parse_distributions
from robo_poet.features.features import FEATURES, VERSION, measure_document

FORMAT = "robo-poet prompts 1"
FOLDER = "prompts"  # in the folder of a model
LATEST = "latest"  # a name for the newest snapshot of a model
LEAST_USERS = 5  # a histogram of fewer users would tell something about one of them
# The features that a passage has, too: not those of the author, the year, the source and the rights of a document
PROMPT_FEATURES = tuple(
    name for name in FEATURES if name not in ("year", "duplicate", "split", "source", "genre", "author_bucket", "licence", "consent")
)
LANGUAGE_WORDS = 20  # words of a text whose language counts: that of a shorter one is often guessed wrong
TAKE = command("requests snapshot")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FILE = re.compile(r"[0-9a-f]{64}\.json")


@dataclass(frozen=True)
class PromptSnapshot:
    """Numbers about the prompts of a period.

    Args:
        model: name of the model that was asked.
        first_day, last_day: UTC days of the first and the last prompt that counts, such as 2026-03-01.
        users: readers whose prompts count.
        left_out: reason → requests of the period that do not count.
        prompts: their number, and the distributions of their features.
    """

    model: str
    first_day: str
    last_day: str
    users: int
    left_out: Mapping[str, int]
    prompts: FeatureCounts

    def to_text(self) -> str:
        """Return the content of the file. The same numbers give the same text."""
        fields = {
            "format": FORMAT, "features": VERSION, "model": self.model, "first_day": self.first_day, "last_day": self.last_day,
            "users": self.users, "left_out": dict(self.left_out), "documents": self.prompts.documents, "distributions": self.prompts.bins,
        }  # fmt: skip
        return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content."""
        return digest_bytes(self.to_text().encode())


def count_passages(passages: Iterable[tuple[str, str | None]]) -> FeatureCounts:
    """Return the distributions of the features of short texts: of prompts, or of passages of a corpus.

    Args:
        passages: text and its language (ISO 639-1), None if it is not known.
    """
    columns: Columns = {name: [] for name in PROMPT_FEATURES}
    for text, language in passages:
        values = measure_document(Document("", "", text)).values | {"language": language}
        for name, column in columns.items():
            column.append(values[name])
    counted = Distributions(PROMPT_FEATURES)
    counted.add([""] * len(columns["characters"]), columns)
    return FeatureCounts(counted.documents, counted.bins())


def language_is_known(text: str) -> bool:
    """Return True if a text is long enough to identify its language. The language of a shorter one does not count."""
    return len(text.split(maxsplit=LANGUAGE_WORDS)) >= LANGUAGE_WORDS


def snapshots_folder(registry: Path, model: str) -> Path:
    """Return the folder of the snapshots of a model; it need not exist."""
    return registry / model / FOLDER


def names_a_snapshot(name: str) -> bool:
    """Return True for the name of a file in this folder that is a snapshot, and not a temporary file: its digest and `.json`."""
    return _FILE.fullmatch(name) is not None


def write_snapshot(registry: Path, snapshot: PromptSnapshot) -> Path:
    """Write a snapshot, unless it is there, and return its path."""
    path = snapshots_folder(registry, snapshot.model) / f"{snapshot.digest}.json"
    write_text(path, snapshot.to_text(), durable=True)
    return path


def parse_snapshot(text: str, digest: str, where: str) -> PromptSnapshot:
    """Return the snapshot in the text of a file.

    Args:
        digest: the SHA-256 that the text must have.
        where: its origin, for messages.

    Raises:
        BadInput: the text has another digest, another form, or numbers of too few users.
    """
    again = f"take a new one: {TAKE}"
    if (found := digest_bytes(text.encode("utf-8", "surrogatepass"))) != digest:
        changed = f"the snapshot of prompts was changed (digest was {digest[:12]}, is {found[:12]})"
        raise BadInput(changed, where=where, remedy=f"restore the file, or {again}")
    fields = parse_object(text, where=where)
    for name, known in (("format", FORMAT), ("features", VERSION)):
        if (value := fields.get(name)) != known:
            states = f"has the {name} {value!r}" if isinstance(value, str) else f"states no {name}"
            raise BadInput(f"the snapshot of prompts {states}; this release reads {known!r}", where=where, remedy=again)
    snapshot = _snapshot(fields, where)
    if snapshot is None:
        raise BadInput("the snapshot of prompts is damaged", where=where, remedy=again)
    if snapshot.users < LEAST_USERS:
        raise BadInput(f"the snapshot has prompts of {snapshot.users} users; {LEAST_USERS} are needed", where=where, remedy=again)
    return snapshot


def _snapshot(fields: Mapping[str, Any], where: str) -> PromptSnapshot | None:
    """Return the snapshot of the fields, None if a value has the wrong type or contradicts another one."""
    model, first, last, users, left_out = (fields.get(name) for name in ("model", "first_day", "last_day", "users", "left_out"))
    if not isinstance(model, str) or not is_count(users) or not isinstance(left_out, dict) or not all(map(is_count, left_out.values())):
        return None
    if not (isinstance(first, str) and isinstance(last, str) and _DAY.fullmatch(first) and _DAY.fullmatch(last)):
        return None
    prompts = parse_distributions(fields, where)
    if users > prompts.documents or not prompts.bins.get("characters"):
        return None
    return PromptSnapshot(model, first, last, users, left_out, prompts)
