"""The kinds of files of a corpus, by their names, and the errors for files of other kinds. Each error has the remedy for its kind."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from robo_poet.corpus.compression import ARCHIVE, COMPRESSED, compression_by_content, plain_name
from robo_poet.display import quotable_name
from robo_poet.errors import BadInput

TEXTS = (".txt", ".md")  # one document per file
TABLES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")  # one document per row
KINDS = ", ".join((*TEXTS, *TABLES))
PACKED = f"each also as {', '.join(COMPRESSED)}, or in a {ARCHIVE}"
LARGEST_TEXT = 500_000_000  # bytes of a text file, or of a line of a table; a reader has it in memory
LONG_NAME = "a file with a long name"


def document_names(names: Iterable[str]) -> list[str]:
    """Return the names, relative to a folder, that are documents: .txt and .md, also compressed, not hidden, sorted."""
    return sorted(name for name in visible(names) if is_text(name))


def is_text(name: str) -> bool:
    """Return True for the name of a text file, also of a compressed one."""
    return plain_name(name).lower().endswith(TEXTS)


def is_table(name: str) -> bool:
    """Return True for the name of a table, also of a compressed one."""
    return plain_name(name).lower().endswith(TABLES)


def visible(names: Iterable[str]) -> list[str]:
    return [name for name in names if not any(part.startswith(".") for part in PurePosixPath(name).parts)]


_REMEDIES = {
    "unpack it, and give the folder or the text in it": "zst lz4 z lzma 7z rar tar tgz tbz2 txz".split(),
    "export its text as .txt": "doc docx odt pdf epub mobi rtf html htm xml ps tex".split(),
    "export it as .csv": "xls xlsx ods db sqlite sql".split(),
    "write one JSON object per line, as .jsonl": ["json"],
}


def check_kind(name: str, where: str) -> None:
    """Check that a file is a text or a table, by its name.

    Raises:
        BadInput: it is of another type. The remedy fits the type.
    """
    if plain_name(name) != name and plain_name(name).lower().endswith(".parquet"):
        raise BadInput("a compressed .parquet file is not read", where=where, remedy="unpack it: Parquet is compressed inside")
    if is_text(name) or is_table(name):
        return
    suffix = PurePosixPath(plain_name(name)).suffix.lower().removeprefix(".")
    remedy = next((remedy for remedy, suffixes in _REMEDIES.items() if suffix in suffixes), "")
    raise BadInput("this type of file is not supported", where=where, remedy=remedy or f"give a folder, or one of {KINDS} ({PACKED})")


def no_text(folder: Path, names: list[str], skipped: list[tuple[str, str]], kind: str = "folder") -> BadInput:
    what, where = f"no .txt or .md file in this {kind}", str(folder)
    if skipped:
        name, skipped_kind = min(skipped)
        return BadInput(what, where=where, remedy=f"{quotable_name(name)} is {skipped_kind}; copy the texts into the {kind}")
    if not names:
        return BadInput(f"the {kind} is empty", where=where, remedy="add .txt or .md files, one per work")
    if tables := sorted(name for name in names if is_table(name)):
        path = folder / tables[0]
        remedy = f"to read a table, give its path: {path}" if kind == "folder" else "put one table into the archive, or unpack it"
        return BadInput(what, where=where, remedy=remedy)
    if archives := sorted(name for name in names if name.lower().endswith(ARCHIVE)):
        return BadInput(what, where=where, remedy=f"to read an archive, give its path: {folder / archives[0]}")
    return BadInput(what, where=where, remedy=f"it contains {quotable_name(names[0])}; a source that is one file may be {KINDS}")


_OTHER_KINDS = {b"%PDF-": "a PDF", b"\xd0\xcf\x11\xe0": "an old Word or Excel file", b"\x28\xb5\x2f\xfd": "a .zst file"}


def binary_file(where: str, offset: int, head: bytes = b"") -> BadInput:
    """Return the error for a text with a NUL byte at `offset`.

    Args:
        head: the first bytes of the file; they may show what it is.
    """
    if suffix := compression_by_content(head):
        return BadInput(f"the file is compressed ({suffix})", where=where, remedy=f"name it {PurePosixPath(where).name}{suffix}")
    if kind := next((kind for magic, kind in _OTHER_KINDS.items() if head.startswith(magic)), ""):
        return BadInput(f"the file is {kind}", where=where, remedy="unpack it" if kind.startswith("a .") else "export its text as .txt")
    return BadInput(f"the file is binary (NUL at byte {offset})", where=where, remedy="remove it or save it as plain text")


def not_parquet(where: str) -> BadInput:
    """Return the error for a damaged table. It quotes nothing, because Parquet's message may quote a value."""
    return BadInput("not a Parquet file, or damaged", where=where, remedy="write the file again")
