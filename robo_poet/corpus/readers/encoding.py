"""The encoding of a file: Unicode is recognised, other encodings are read only if the profile names them.

- UTF-8 is the default. UTF-16 and UTF-32 are recognised by their byte order mark, and UTF-16 also by its NUL bytes.
- Windows-1252, Windows-1250, ISO-8859-2 … cannot be distinguished reliably: each reads any text, and most give wrong letters. So such a
  file is refused. The message suggests a value for `ingest.encoding`.
- With `ingest.encoding`, only the lines that are not UTF-8 are read in it, and a warning counts them.
"""

import codecs
import re
from collections.abc import Iterator
from io import BufferedReader

from robo_poet.corpus.file_kinds import LARGEST_TEXT, binary_file
from robo_poet.corpus.readers.reading_log import ReadingLog
from robo_poet.errors import BadInput
from robo_poet.settings.data import codec_of

UTF_8 = "utf-8"
HEAD = 4096  # bytes that show the encoding
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONE_RETURN = re.compile(r"(?<=\r)(?!\n)")


def unicode_form(head: bytes) -> str:
    """Return the codec of a file by its first bytes: `utf-16` or `utf-32` with a byte order mark, `utf-16-le`, `utf-16-be`, or `utf-8`.

    Western text in UTF-16 without a mark has a NUL in most pairs of bytes, always on the same side.
    """
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec
    even, odd = head[::2].count(0), head[1::2].count(0)
    pairs = len(head) // 2
    if pairs >= 2 and even == 0 and odd * 2 > pairs:
        return "utf-16-le"
    if pairs >= 2 and odd == 0 and even * 2 > pairs:
        return "utf-16-be"
    return UTF_8


class Decoder:
    """Decodes the lines of one file, or its whole text.

    Args:
        where: the file, for messages.
        encoding: `ingest.encoding`, the encoding of what is not Unicode; empty refuses it.
        log: counts what is assumed.
    """

    def __init__(self, where: str, encoding: str, log: ReadingLog) -> None:
        self.where, self.encoding, self.log = where, encoding, log
        self._codec = codec_of(encoding) if encoding else ""
        self._assumed = 0

    def text(self, file: BufferedReader) -> str:
        """Return the whole text of a file, with its line ends, without a byte order mark.

        Raises:
            BadInput: the file is binary, in another encoding, larger than `LARGEST_TEXT` or not readable. The message names the line.
        """
        self.log.start(self.where)
        data = _read(file, LARGEST_TEXT + 1, self.where)
        if len(data) > LARGEST_TEXT:
            raise BadInput(f"the text has more than {LARGEST_TEXT / 1e6:.0f} MB", where=self.where, remedy="divide it into several files")
        form = unicode_form(data[:HEAD])
        if form != UTF_8:
            return self._wide(data, form)
        try:
            return self._utf_8(data)
        except UnicodeDecodeError as error:
            if not self._codec:
                raise self._refused(data, error.start, 0, data.count(b"\n", 0, error.start) + 1) from None
        lines, offset = [], 0
        for number, line in enumerate(data.splitlines(keepends=True), start=1):  # of bytes: only \n, \r\n and \r end a line
            lines.append(self._line(line, offset, number))
            offset += len(line)
        return "".join(lines)

    def lines(self, file: BufferedReader) -> Iterator[str]:
        r"""Yield the lines of a table with their line ends (`\n`, `\r\n` or `\r`), without loading the whole file.

        Raises:
            BadInput: in the same cases as `text`; or a line has more than `LARGEST_TEXT` bytes.
        """
        self.log.start(self.where)
        form = unicode_form(self._head(file))
        for line in self._byte_lines(file) if form == UTF_8 else self._wide_lines(file, form):
            if "\r" in line:
                yield from filter(None, _LONE_RETURN.split(line))
            else:
                yield line

    def _head(self, file: BufferedReader) -> bytes:
        try:
            return file.peek(HEAD)[:HEAD]
        except OSError as error:
            raise _unreadable(error, self.where) from None

    def _byte_lines(self, file: BufferedReader) -> Iterator[str]:
        offset = 0
        for number, line in enumerate(_raw_lines(file, self.where), start=1):
            yield self._line(line, offset, number)
            offset += len(line)

    def _wide_lines(self, file: BufferedReader, form: str) -> Iterator[str]:
        self._note_form(form)
        decoder, parts, size = codecs.getincrementaldecoder(form)(), list[str](), 0
        while True:
            data = _read(file, 1 << 20, self.where)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError:
                raise self._not_wide(form) from None
            if "\0" in text:
                raise self._not_wide(form)
            *lines, rest = text.split("\n")
            for line in lines:
                yield "".join((*parts, line, "\n"))
                parts, size = [], 0
            parts.append(rest)
            size += len(rest)
            if size > LARGEST_TEXT:
                raise _long_line(self.where, "a line")
            if not data:
                break
        if size:
            yield "".join(parts)

    def _line(self, line: bytes, offset: int, number: int) -> str:
        try:
            return self._utf_8(line, offset)
        except UnicodeDecodeError as error:
            if not self._codec:
                raise self._refused(line, error.start, offset, number) from None
        try:
            text = line.decode(self._codec)
        except UnicodeDecodeError as error:
            at = offset + error.start
            raise BadInput(
                f"neither UTF-8 nor {self.encoding} at byte {at:,} (0x{line[error.start]:02x}), line {number:,}",
                where=self.where,
                remedy="correct ingest.encoding, or save the file as UTF-8",
            ) from None
        self._assumed += 1
        self.log.assume(self.where, self.encoding, self._assumed)
        return text

    def _utf_8(self, data: bytes, offset: int = 0) -> str:
        if (nul := data.find(b"\0")) >= 0:
            raise binary_file(self.where, offset + nul, data[:8] if offset == 0 else b"")
        start = len(codecs.BOM_UTF8) if offset == 0 and data.startswith(codecs.BOM_UTF8) else 0
        try:
            return data[start:].decode() if start else data.decode()
        except UnicodeDecodeError as error:
            error.start += start
            raise

    def _wide(self, data: bytes, form: str) -> str:
        self._note_form(form)
        try:
            text = data.decode(form)
        except UnicodeDecodeError:
            raise self._not_wide(form) from None
        if "\0" in text:
            raise self._not_wide(form)
        return text

    def _note_form(self, form: str) -> None:
        if form.endswith(("-le", "-be")):
            self.log.assume(self.where, form.upper())

    def _not_wide(self, form: str) -> BadInput:
        return BadInput(f"the file begins as {form.upper()}, but is damaged or binary", where=self.where, remedy="save it as UTF-8")

    def _refused(self, data: bytes, start: int, offset: int, number: int) -> BadInput:
        if kind := binary_kind(self.where, data[:8] if offset == 0 else b""):
            return kind
        return BadInput(
            f"not UTF-8 at byte {offset + start:,} (0x{data[start]:02x}), line {number:,}",
            where=self.where,
            remedy=_remedy(data[max(0, start - SAMPLE // 4) : start + SAMPLE]),
        )


SAMPLE = 40_000  # bytes that are shown to the detector of encodings


def binary_kind(where: str, head: bytes) -> BadInput | None:
    """Return the error for a file whose first bytes show that it is not text, such as a `.gz` file; None for other files."""
    error = binary_file(where, -1, head)
    return error if "byte -1" not in error.what else None


def _remedy(data: bytes) -> str:
    """Return the remedy for bytes that are not UTF-8: which encoding they probably have, or that a few bytes are damaged."""
    text = data.decode(errors="replace")
    replaced = text.count("\ufffd")
    if sum(not character.isascii() for character in text) > 5 * replaced:
        return "correct this character: the text around it is UTF-8"
    guess = probable_encoding(data)
    return f"save it as UTF-8, or set ingest.encoding to its encoding{f', probably {guess}' if guess else ', such as windows-1252'}"


_COMMON = (
    "cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 koi8_r cp850 cp852 mac_roman cp932 gb18030 big5 cp949 euc_jp".split()
)  # the encodings that are suggested
ENOUGH = 20  # bytes that are not ASCII; fewer prove nothing


def probable_encoding(data: bytes) -> str:
    """Return the most probable encoding of a text that is not UTF-8, as a value of `ingest.encoding`; empty if there is none."""
    if sum(byte > 127 for byte in data) < ENOUGH:
        return ""
    from charset_normalizer import from_bytes  # loaded only for a message

    match = from_bytes(data, cp_isolation=_COMMON).best()
    return match.encoding.replace("cp125", "windows-125") if match else ""


def _raw_lines(file: BufferedReader, where: str) -> Iterator[bytes]:
    offset = 0
    while True:
        try:
            line = file.readline(LARGEST_TEXT + 1)
        except OSError as error:
            raise _unreadable(error, where) from None
        if not line:
            return
        if len(line) > LARGEST_TEXT:
            raise _long_line(where, f"the line at byte {offset}")
        offset += len(line)
        yield line


def _long_line(where: str, line: str) -> BadInput:
    return BadInput(f"{line} is longer than {LARGEST_TEXT / 1e6:.0f} MB", where=where, remedy="divide its text into rows")


def _read(file: BufferedReader, size: int, where: str) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise _unreadable(error, where) from None


def _unreadable(error: OSError, where: str) -> BadInput:
    return BadInput((error.strerror or "cannot be read").lower(), where=where, remedy="change its permissions or remove it")
