"""The files of a corpus source. The digest of the source and the readers share this list, so both see the same files.

The folder may be on a shared machine, where others can write. So links below it are not followed, and only regular files are opened
(`robo_poet.regular_file`). What could be text but is not read is named in a warning. A `.zip` archive of texts is read as a folder.
"""

import errno
import os
import re
import stat
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from robo_poet.corpus.compression import ARCHIVE, COMPRESSED, compression_of, uncompressed
from robo_poet.corpus.file_kinds import (
    KINDS,
    LARGEST_TEXT,
    LONG_NAME,
    TEXTS,
    check_kind,
    document_names,
    is_table,
    is_text,
    no_text,
    visible,
)
from robo_poet.corpus.zip_archive import ZipArchive
from robo_poet.display import quotable_name
from robo_poet.errors import BadInput
from robo_poet.regular_file import folder_below, kind_of, open_below, open_regular

DEEPEST = 64  # folders inside folders
MOST_ENTRIES = 1_000_000  # names in a source, with those that are not documents
MOST_NAMED = 5  # skipped files in a warning
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")


def is_bucket(source: str) -> bool:
    """Return True if the source is in Google Cloud Storage.

    Raises:
        BadInput: the address has another scheme, such as s3://.
    """
    if (match := _SCHEME.match(source)) and not source.startswith("gs://"):
        raise BadInput(f"{match[1]}:// is not supported", where=source, remedy="give a path on this machine, or gs://bucket/prefix")
    return source.startswith("gs://")


@dataclass(frozen=True)
class SourceFiles:
    """The files of a local source.

    Attributes:
        root: the folder or archive, or the source that is one file.
        names: documents relative to the folder, sorted; empty if the source is one file.
        skipped: name and kind of each entry that could be text and is not read, such as `("outside.txt", "a link")`.
        others: names of the regular files of other types, without hidden ones. They are not read.
        archive: the opened archive if the source is one.
        member: the file that is read if the archive contains only one.
    """

    root: Path
    names: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()
    archive: ZipArchive | None = field(default=None, compare=False)
    member: str = ""

    def where(self, name: str = "") -> str:
        """Return the location of a document, or of the source if it is one file, for messages."""
        inner = name or self.member
        return f"{self.root}/{inner}" if inner else str(self.root)

    def reading(self) -> AbstractContextManager[object]:
        """Return the context in which the documents are read: it holds an archive open.

        Raises:
            BadInput: the archive cannot be read.
        """
        return self.archive.reading() if self.archive else nullcontext()

    def open(self, name: str = "") -> BufferedReader:
        """Open a document by its name, or the source if it is one file; within `reading`. A compressed file is expanded while it is read.

        Raises:
            BadInput: it is not a regular file any more, is larger than a text may be, or cannot be read. Reading a compressed file raises
                it if the file is damaged or expands too far.
        """
        where = self.where(name)
        if self.archive:
            file, inner = self.archive.open(name or self.member), name or self.member
        else:
            file, inner = self.open_stored(name), name or self.root.name
        return uncompressed(file, where) if not self.archive and compression_of(inner) in COMPRESSED else file

    def open_stored(self, name: str = "") -> BufferedReader:
        """Open a file as it is stored: a document by its name, or the source. A compressed file is not expanded.

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
        if size > LARGEST_TEXT and is_text(where.name):
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
        _check_utf8([source])
        if source.name.lower().endswith(ARCHIVE):
            return _archive_files(source)
        check_kind(source.name, str(source))
        return SourceFiles(source)
    if kind != "a folder":
        raise BadInput(f"{kind}, not a file or a folder", where=str(source), remedy=f"give a folder, or one of {KINDS}")
    try:
        found, skipped = _listing(source)
    except OSError as error:
        raise _unreadable(error, source) from None
    texts = document_names(found)
    if not texts:
        raise no_text(source, found, skipped)
    _check_utf8([source / name for name in texts])
    return SourceFiles(source, tuple(texts), tuple(sorted(skipped)), tuple(sorted(visible(set(found) - set(texts)))))


def _archive_files(source: Path) -> SourceFiles:
    """Return the files of an archive: its text files as those of a folder, or its only file as if it were the source.

    Raises:
        BadInput: the archive cannot be read, or has no text.
    """
    try:
        archive = ZipArchive(source)
    except OSError as error:
        raise _unreadable(error, source) from None
    found, skipped = archive.listing()
    shown = visible(found)
    if packed := next((name for name in shown if is_text(name) and compression_of(name)), ""):
        where = f"{source}: {quotable_name(packed, LONG_NAME)}"
        raise BadInput("a compressed file in an archive is not read", where=where, remedy="unpack the archive, and give the folder")
    if len(shown) == 1 and (is_text(shown[0]) or is_table(shown[0])):
        if compression_of(shown[0]) or shown[0].lower().endswith(".parquet"):
            raise BadInput("the table in the archive is not read", where=f"{source}: {shown[0]}", remedy="unpack it, and give the table")
        return SourceFiles(source, skipped=_could_be_text(skipped), archive=archive, member=shown[0])
    texts = document_names(shown)
    if not texts:
        raise no_text(source, shown, list(_could_be_text(skipped)), "archive")
    return SourceFiles(source, tuple(texts), _could_be_text(skipped), tuple(sorted(set(shown) - set(texts))), archive)


def _could_be_text(skipped: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(entry for entry in skipped if is_text(entry[0]) and visible([entry[0]])))


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
                elif not entry.name.startswith(".") and (is_text(entry.name) or _leads_to_folder(entry.name, handle)):
                    skipped.append((name, kind_of(entry.stat(follow_symlinks=False).st_mode)))
    return files, skipped


def _leads_to_folder(name: str, handle: int) -> bool:
    """Return True for a link to a folder, which may contain texts."""
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=handle).st_mode)
    except OSError:  # a link to nothing, or to itself
        return False
