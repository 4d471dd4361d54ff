"""Bytes of a user's file to text: UTF-8 or one clear line that says where it is not."""

from collections.abc import Iterator
from pathlib import Path

from robo_poet.errors import BadInput

BOM = b"\xef\xbb\xbf"


def read_text(path: Path) -> str:
    """The text of a small file (a document).

    Raises:
        BadInput: empty, binary, not UTF-8 or not readable.
    """
    text = "".join(lines(path))
    if not text.strip():
        raise BadInput("the file is empty", where=str(path), remedy="remove it or put text in it")
    return text


def lines(path: Path) -> Iterator[str]:
    """Yield a file's lines with their ends, as a stream.

    Raises:
        BadInput: binary (a NUL byte), not UTF-8 or not readable; names the byte offset.
    """
    offset = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if (nul := line.find(b"\0")) >= 0:
                    raise BadInput(
                        f"a binary file (NUL at byte {offset + nul})", where=str(path), remedy="remove it or save it as plain text"
                    )
                start = len(BOM) if offset == 0 and line.startswith(BOM) else 0
                try:
                    yield line[start:].decode()
                except UnicodeDecodeError as error:
                    at = offset + start + error.start
                    raise BadInput(
                        f"not UTF-8 at byte {at} (0x{line[start + error.start]:02x})", where=str(path), remedy="save it as UTF-8"
                    ) from None
                offset += len(line)
    except OSError as error:
        raise BadInput((error.strerror or "cannot be read").lower(), where=str(path), remedy="make it readable or remove it") from None
