"""Which files a user's corpus source consists of. Shared by the digest of the source and by the readers, so that both see the same."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from robo_poet.errors import BadInput

TEXTS = (".txt", ".md")  # a file a document
TABLES = (".jsonl", ".csv", ".parquet")  # a row a document
KINDS = ", ".join((*TEXTS, *TABLES))


def is_bucket(source: str) -> bool:
    """Whether a source lies in Google Cloud Storage."""
    return source.startswith("gs://")


def chosen(names: Iterable[str]) -> list[str]:
    """The names, relative to a folder, that are documents: .txt and .md, sorted, nothing hidden."""
    return sorted(n for n in names if n.lower().endswith(TEXTS) and not any(part.startswith(".") for part in PurePosixPath(n).parts))


def source_files(source: Path) -> list[Path]:
    """The files of a source: the file itself, or the text files of a folder in the order of their names.

    Raises:
        BadInput: nothing is there, it may not be read, it is of no kind we read, has a name that is not UTF-8, or the folder holds no text.
    """
    try:
        if source.is_file():
            if not source.name.lower().endswith((*TEXTS, *TABLES)):
                raise BadInput("not a kind of file that can be read", where=str(source), remedy=f"give a folder, or one of {KINDS}")
            return _named_in_utf8([source])
        if not source.exists():
            raise BadInput("no such file or folder", where=str(source), remedy="give an existing path, gs://bucket/prefix, or nothing")
        return _named_in_utf8([source / name for name in _inside(source)])
    except PermissionError as error:
        raise BadInput("permission denied", where=str(error.filename or source), remedy="make it readable") from None


def _named_in_utf8(files: list[Path]) -> list[Path]:
    """A file's name becomes the name of its work, so it must be text."""
    for file in files:
        name = os.fsencode(file)
        try:
            name.decode()
        except UnicodeDecodeError:
            raise BadInput("the file's name is not UTF-8", where=name.decode("utf-8", "backslashreplace"), remedy="rename it") from None
    return files


def _inside(folder: Path) -> list[str]:
    def stop(error: OSError) -> None:  # os.walk and rglob would pass over a folder that may not be read
        raise error

    names = [
        Path(at, name).relative_to(folder).as_posix() for at, _, files in os.walk(folder, onerror=stop) for name in files
    ]  # fmt: skip
    if texts := chosen(names):
        return texts
    if not names:
        raise BadInput("the folder is empty", where=str(folder), remedy="put .txt or .md files in it, a work each")
    if tables := sorted(name for name in names if name.lower().endswith(TABLES)):
        raise BadInput("no .txt or .md file in this folder", where=str(folder), remedy=f"to read a table, name it: {folder / tables[0]}")
    raise BadInput(
        "no .txt or .md file in this folder", where=str(folder), remedy=f"it holds {names[0]}; a single file may be one of {KINDS}"
    )
