"""The files of a corpus source. The digest of the source and the readers share this list, so both see the same files."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from robo_poet.errors import BadInput

TEXTS = (".txt", ".md")  # one document per file
TABLES = (".jsonl", ".csv", ".parquet")  # one document per row
KINDS = ", ".join((*TEXTS, *TABLES))


def is_bucket(source: str) -> bool:
    """Return True if the source is in Google Cloud Storage."""
    return source.startswith("gs://")


def document_names(names: Iterable[str]) -> list[str]:
    """Return the names, relative to a folder, that are documents: .txt and .md, not hidden, sorted."""
    return sorted(n for n in names if n.lower().endswith(TEXTS) and not any(part.startswith(".") for part in PurePosixPath(n).parts))


def source_files(source: Path) -> list[Path]:
    """Return the files of a source: the file itself, or the text files of a folder, sorted by name.

    Raises:
        BadInput: it does not exist or cannot be read, its type is not supported, its name is not UTF-8, or the folder has no text file.
    """
    try:
        if source.is_file():
            if not source.name.lower().endswith((*TEXTS, *TABLES)):
                raise BadInput("this type of file is not supported", where=str(source), remedy=f"give a folder, or one of {KINDS}")
            return _named_in_utf8([source])
        if not source.exists():
            raise BadInput(
                "no such file or folder",
                where=str(source),
                remedy="give an existing path or gs://bucket/prefix; without a source, the bundled corpora are used",
            )
        return _named_in_utf8([source / name for name in _text_files(source)])
    except PermissionError as error:
        raise BadInput("permission denied", where=str(error.filename or source), remedy="change its permissions") from None


def _named_in_utf8(files: list[Path]) -> list[Path]:
    """Check that file names are UTF-8: a file's name becomes the name of its work."""
    for file in files:
        name = os.fsencode(file)
        try:
            name.decode()
        except UnicodeDecodeError:
            raise BadInput(
                "the file's name is not UTF-8", where=name.decode("utf-8", "backslashreplace"), remedy="rename the file"
            ) from None
    return files


def _text_files(folder: Path) -> list[str]:
    def stop(error: OSError) -> None:  # os.walk and rglob skip unreadable folders silently
        raise error

    names = [
        Path(at, name).relative_to(folder).as_posix() for at, _, files in os.walk(folder, onerror=stop) for name in files
    ]  # fmt: skip
    if texts := document_names(names):
        return texts
    if not names:
        raise BadInput("the folder is empty", where=str(folder), remedy="add .txt or .md files, one per work")
    if tables := sorted(name for name in names if name.lower().endswith(TABLES)):
        raise BadInput(
            "no .txt or .md file in this folder", where=str(folder), remedy=f"to read a table, give its path: {folder / tables[0]}"
        )
    raise BadInput(
        "no .txt or .md file in this folder", where=str(folder), remedy=f"it contains {names[0]}; a source that is one file may be {KINDS}"
    )
