"""The log of a step: its output goes through a pipe into a file of bounded size, so a step that prints 1 GB costs no memory and no disk.

The file only grows, because the display and the parser of log lines read it from an offset:

- The first 16 MB of an attempt are kept. A line is cut after 16 KB.
- After that, only the lines that the display reads are kept (errors, warnings, notes, and two lines of progress per second), up to 1 MB.
- The last 64 KB follow at the end, after a line that says how much was left out.
"""

import contextlib
import fcntl
import os
import re
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

KEPT = 16 << 20  # bytes of an attempt
IMPORTANT_KEPT = 1 << 20  # bytes of important lines after that
LONGEST_LINE = 16 << 10  # bytes; a carriage return ends a line too, as in progress bars
TAIL = 64 << 10  # bytes at the end of the output
CHUNK = 256 << 10
PROGRESS_SECONDS = 0.5
IMPORTANT = (b"error: ", b"warning: ", b"note: ")
PIPE_BYTES = 1 << 20  # of the kernel's buffer; the default of 64 KB gives many small reads
LINE = re.compile(rb"[^\r\n]*")


class BoundedLog:
    """A writer that appends the output of one attempt to a log file. A full disk loses output, but does not stop the step."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._room, self._important_room = KEPT, IMPORTANT_KEPT
        self._partial = b""  # the last line, without its end
        self._tail = b""
        self._omitted = 0  # bytes
        self._progress_at = 0.0

    def write(self, data: bytes) -> None:
        """Append output. Uses at most some hundred kilobytes of memory."""
        data = self._partial + data
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        self._partial = self._short(data[end:])
        if not end:
            return
        data = data[:end]
        if self._room:
            lines = data.splitlines(keepends=True)
            if max(map(len, lines)) > LONGEST_LINE:
                data = b"".join(line if len(line) <= LONGEST_LINE else self._short(line) + b"\n" for line in lines)
        self._append(data)

    def close(self) -> None:
        """Write the incomplete last line, and the end of an output that was too long."""
        if self._partial:
            self._append(self._partial + b"\n")
        if self._omitted:
            left_out = max(0, self._omitted - len(self._tail)) / 1e6
            self._put(f"[{left_out:,.1f} MB of output left out]\n".encode() + self._tail)
        self._file.close()

    def _short(self, line: bytes) -> bytes:
        """Return the beginning of a line. The rest of a long line counts as left out."""
        self._omitted += max(0, len(line) - LONGEST_LINE)
        return line[:LONGEST_LINE]

    def _append(self, data: bytes) -> None:
        """Append complete lines, or what is important in them if the log is full."""
        if len(data) <= self._room:
            self._room -= len(data)
            self._put(data)
            return
        if self._room:
            self._room = 0
            limit = f"{KEPT / 1e6:.0f} MB"
            self._put(f"note: the output is longer than {limit}; from here on, the log keeps only errors, warnings and progress\n".encode())
        self._omitted += len(data)
        self._tail = (self._tail + data[-TAIL:])[-TAIL:]
        for start in sorted(self._important(data)):
            line = _line(data, start)[:LONGEST_LINE] + b"\n"
            if len(line) > self._important_room:
                self._important_room = 0
                return
            self._important_room -= len(line)
            self._put(line)

    def _important(self, data: bytes) -> Iterator[int]:
        """Yield the starts of errors, warnings and notes, and of the last line of progress if one is due.

        Uses `find`: to divide 1 GB into lines takes a minute.
        """
        if not self._important_room:
            return
        for word in IMPORTANT:
            start = data.find(word)
            while start >= 0:
                if start == 0 or data[start - 1] in b"\r\n":
                    yield start
                start = data.find(word, start + 1)
        progress = max(data.rfind(b"\n["), data.rfind(b"\r[")) + 1
        if (progress or data.startswith(b"[")) and self._progress_is_due():
            yield progress

    def _progress_is_due(self) -> bool:
        now = time.monotonic()
        due = now - self._progress_at >= PROGRESS_SECONDS
        if due:
            self._progress_at = now
        return due

    def _put(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._file.write(data)


def _line(data: bytes, start: int) -> bytes:
    match = LINE.match(data, start)
    assert match  # the pattern matches the empty line
    return match[0]


class StepOutput:
    """The output of a step: a pipe whose end `handle` the step inherits, and a thread that writes to the log until the context ends.

    The context ends also if a process that the step left behind still has the pipe open.
    """

    def __init__(self, path: Path) -> None:
        self._log = BoundedLog(path)
        self._reader, self.handle = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._reader, False)
        with contextlib.suppress(OSError):  # the user's limit for pipes is reached
            fcntl.fcntl(self._reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._pump, name=f"log of {path.stem}", daemon=True)

    def __enter__(self) -> "StepOutput":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()
        self._log.close()

    def write(self, text: str) -> None:
        """Append a line of the runner to the log."""
        with self._guard:
            self._log.write(text.encode())

    def started(self) -> None:
        """Close this process's copy of `handle`, after the step has inherited it."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def end(self) -> None:
        """Read what the step has written, and stop. The step must have ended."""
        self.started()
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _pump(self) -> None:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        try:
            while True:
                ended = self._ended.is_set()  # before reading: what is written before the end is read
                poll.poll(0 if ended else 100)
                try:
                    data = os.read(self._reader, CHUNK)
                except BlockingIOError:
                    if ended:
                        return
                    continue
                if not data:
                    return
                with self._guard:
                    self._log.write(data)
        finally:
            os.close(self._reader)
