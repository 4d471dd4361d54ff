"""The files of a corpus source. The digest of the source and the readers share this list, so both see the same files.

The folder may be on a shared machine, where others can write. So links below it are not followed, and only regular files are opened
(`robo_poet.regular_file`). What could be text but is not read is named in a warning.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from robo_poet.display import quotable_name
from robo_poet.errors import BadInput
from robo_poet.regular_file import folder_below, kind_of, open_below, open_regular

TEXTS = (".txt", ".md")  # one document per file
TABLES = (".jsonl", ".csv", ".parquet")  # one document per row
KINDS = ", ".join((*TEXTS, *TABLES))
LARGEST_TEXT = 500_000_000  # bytes of a text file, or of a line of a table; a reader has it in memory
DEEPEST = 64  # folders inside folders
MOST_ENTRIES = 1_000_000  # names in a source, with those that are not documents
MOST_NAMED, LONG_NAME = 5, "a file with a long name"  # skipped files in a warning
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")


def is_bucket(source: str) -> bool:
    """Return True if the source is in Google Cloud Storage.

    Raises:
        BadInput: the address has another scheme, such as s3://.
    """
    if (match := _SCHEME.match(source)) and not source.startswith("gs://"):
        raise BadInput(f"{match[1]}:// is not supported", where=source, remedy="give a path on this machine, or gs://bucket/prefix")
    return source.startswith("gs://")


def document_names(names: Iterable[str]) -> list[str]:
    """Return the names, relative to a folder, that are documents: .txt and .md, not hidden, sorted."""
    return sorted(name for name in _visible(names) if name.lower().endswith(TEXTS))


def _visible(names: Iterable[str]) -> list[str]:
    return [name for name in names if not any(part.startswith(".") for part in PurePosixPath(name).parts)]


@dataclass(frozen=True)
class SourceFiles:
    """The files of a local source.

    Attributes:
        root: the folder, or the source that is one file.
        names: documents relative to the folder, sorted; empty if the source is one file.
        skipped: name and kind of each entry that could be text and is not read, such as `("outside.txt", "a link")`.
        others: names of the regular files of other types, without hidden ones. They are not read.
    """

    root: Path
    names: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()

    def open(self, name: str = "") -> BinaryIO:
        """Open a document by its name, or the source if it is one file.

        Raises:
            BadInput: it is not a regular file any more, is larger than a text may be, or cannot be read.
        """
        where = self.root / name if name else self.root
        try:
            file = open_below(self.root, name) if name else open_regular(self.root)
        except OSError as error:
            problem = (error.strerror or "cannot be read").lower()
            raise BadInput(problem, where=str(where), remedy="change its permissions or remove it") from None
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_TEXT and where.name.lower().endswith(TEXTS):
            file.close()
            raise BadInput(
                f"the file has {size / 1e6:,.0f} MB; a text file may have {LARGEST_TEXT / 1e6:.0f} MB",
                where=str(where),
                remedy="divide it into several files, or give a table with one row per work",
            )
        return file

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return warnings that name what is not read; empty if everything is read."""
        skipped = [f"{quotable_name(name, LONG_NAME)} ({kind})" for name, kind in self.skipped[:MOST_NAMED]]
        others = [quotable_name(name, LONG_NAME) for name in self.others[:MOST_NAMED]]
        return (
            *_warning("not read, because only regular files below the folder are", skipped, len(self.skipped)),
            *_warning(f"not read, because a folder is read for its {' and '.join(TEXTS)} files", others, len(self.others)),
        )


def _warning(reason: str, named: list[str], count: int) -> tuple[str, ...]:
    more = f" and {count - len(named):,} more" if count > len(named) else ""
    return (f"{reason}: {', '.join(named)}{more}",) if named else ()


def source_files(source: Path) -> SourceFiles:
    """Return the files of a source: the file itself, or the text files of a folder.

    Raises:
        BadInput: it does not exist or cannot be read, its type is not supported, its name is not UTF-8, or the folder has no text file.
    """
    try:
        kind = kind_of(source.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(
            "no such file or folder",
            where=str(source),
            remedy="give an existing path or gs://bucket/prefix; without a source, the bundled corpora are used",
        ) from None
    except OSError as error:
        raise _unreadable(error, source) from None
    if not kind:
        if not source.name.lower().endswith((*TEXTS, *TABLES)):
            raise BadInput("this type of file is not supported", where=str(source), remedy=f"give a folder, or one of {KINDS}")
        _check_utf8([source])
        return SourceFiles(source)
    if kind != "a folder":
        raise BadInput(f"{kind}, not a file or a folder", where=str(source), remedy=f"give a folder, or one of {KINDS}")
    try:
        found, skipped = _listing(source)
    except OSError as error:
        raise _unreadable(error, source) from None
    texts = document_names(found)
    if not texts:
        raise _no_text(source, found, skipped)
    _check_utf8([source / name for name in texts])
    return SourceFiles(source, tuple(texts), tuple(sorted(skipped)), tuple(sorted(_visible(set(found) - set(texts)))))


def _unreadable(error: OSError, source: Path) -> BadInput:
    remedy = "give the path of the text itself" if error.errno == errno.ELOOP else "change its permissions"
    return BadInput((error.strerror or "cannot be read").lower(), where=str(error.filename or source), remedy=remedy)


def _check_utf8(files: list[Path]) -> None:
    """Check that file names are UTF-8: a file's name becomes the name of its work."""
    for file in files:
        name = os.fsencode(file)
        try:
            name.decode()
        except UnicodeDecodeError:
            raise BadInput(
                "the file's name is not UTF-8", where=name.decode("utf-8", "backslashreplace"), remedy="rename the file"
            ) from None


def _listing(root: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the regular files below a folder, relative to it, and what is skipped. Hidden folders are not listed.

    Raises:
        BadInput: a folder became a link during the listing, or there are too many names.
        OSError: a folder cannot be read. A folder is never skipped silently.
    """
    files: list[str] = []
    skipped: list[tuple[str, str]] = []
    waiting: list[tuple[str, ...]] = [()]
    count = 0
    while waiting:
        parents = waiting.pop()
        with folder_below(root, list(parents)) as handle:
            for entry in os.scandir(handle):
                count += 1
                if count > MOST_ENTRIES:
                    raise BadInput(
                        f"the folder has more than {MOST_ENTRIES:,} files", where=str(root), remedy="give the folder of the texts"
                    )
                name = "/".join((*parents, entry.name))
                if entry.is_file(follow_symlinks=False):
                    files.append(name)
                elif entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        if len(parents) < DEEPEST:
                            waiting.append((*parents, entry.name))
                        else:
                            skipped.append((name, f"below {DEEPEST} folders"))
                elif not entry.name.startswith(".") and (entry.name.lower().endswith(TEXTS) or _leads_to_folder(entry.name, handle)):
                    skipped.append((name, kind_of(entry.stat(follow_symlinks=False).st_mode)))
    return files, skipped


def _leads_to_folder(name: str, handle: int) -> bool:
    """Return True for a link to a folder, which may contain texts."""
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=handle).st_mode)
    except OSError:  # a link to nothing, or to itself
        return False


def _no_text(folder: Path, names: list[str], skipped: list[tuple[str, str]]) -> BadInput:
    what, where = "no .txt or .md file in this folder", str(folder)
    if skipped:
        name, kind = min(skipped)
        return BadInput(what, where=where, remedy=f"{quotable_name(name)} is {kind}; copy the texts into the folder")
    if not names:
        return BadInput("the folder is empty", where=where, remedy="add .txt or .md files, one per work")
    if tables := sorted(name for name in names if name.lower().endswith(TABLES)):
        return BadInput(what, where=where, remedy=f"to read a table, give its path: {folder / tables[0]}")
    return BadInput(what, where=where, remedy=f"it contains {names[0]}; a source that is one file may be {KINDS}")


def binary_file(where: str, offset: int) -> BadInput:
    """Return the error for a text with a NUL byte at `offset`."""
    return BadInput(f"the file is binary (NUL at byte {offset})", where=where, remedy="remove it or save it as plain text")


def not_parquet(where: str) -> BadInput:
    """Return the error for a damaged table. It quotes nothing, because Parquet's message may quote a value."""
    return BadInput("not a Parquet file, or damaged", where=where, remedy="write the file again")
