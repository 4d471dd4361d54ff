"""The writer process: `python -m robo_poet.request_log --folder F --settings JSON`, with records as JSON lines on standard input.

It is a separate process for two reasons:
- Name recognition would block the gateway's interpreter for tens of milliseconds at a time.
- Records that the gateway has sent are written even if the gateway is killed. The program finishes at the end of its input.

It reports its counts on standard output, as a JSON line after each change.
"""

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robo_poet.request_log.scrubbing import Scrubbing, trim_heap
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings

TICK_SECONDS = 0.25  # longest wait for input
TRIM_SECONDS = 30.0  # seconds between two calls that return free memory to the system
READ_BYTES = 1 << 20  # bytes per read
NICENESS = 10  # lower priority than the processes that answer requests


class Program:
    """A dispatcher of incoming messages. Rows go to the writer immediately. Their texts go to the scrubbing queue first."""

    def __init__(self, folder: Path, settings: RequestLogSettings) -> None:
        self._writer = Writer(folder, settings)
        self._scrubbing = Scrubbing(self._writer, settings)
        self._omitted = self._late = 0
        self._trimmed = time.monotonic()
        self._last_report: dict[str, Any] = {}

    def process_line(self, line: bytes) -> None:
        """Process one line. An invalid line is counted.

        The line is `{"kind": "request" | "feedback", "row": …}` or `{"kind": "patch", "completion_id": …, "fields": …}`.
        """
        try:
            message = json.loads(line)
            if message["kind"] == "patch":
                self._late += not self._writer.patch(message["completion_id"], message["fields"])
            elif message["kind"] == "request":
                self._request(message["row"])
            else:
                self._writer.add(message["kind"], message["row"])
        except (ValueError, KeyError, TypeError, AttributeError):
            self._writer.counts["invalid"] += 1

    def tick(self) -> None:
        """Do the periodic work: writer maintenance, memory, and a report of the counts if they have changed."""
        self._writer.tick()
        if time.monotonic() - self._trimmed >= TRIM_SECONDS:
            self._trimmed = time.monotonic()
            trim_heap()
        counts = dict(self._writer.counts)
        counts |= {"text_omitted": self._omitted + self._scrubbing.omitted, "score_late": self._late}
        report = {"counts": counts, "trouble": self._scrubbing.trouble}
        if report != self._last_report:
            self._last_report = report
            write_report(report)

    def recover(self) -> None:
        """Convert the spools of dead writers into parts."""
        self._writer.recover()

    def close(self) -> None:
        """Scrub the waiting texts, write everything and report the final counts."""
        self._scrubbing.close()
        self._writer.close()
        self.tick()

    def _request(self, row: dict[str, Any]) -> None:
        texts = [row.pop("prompt"), *row.pop("completions")]
        if texts[0] is None:
            self._writer.add("request", row)
            return
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("texts are strings")
        texts_follow = not self._scrubbing.full
        self._omitted += not texts_follow
        position = self._writer.add("request", row, texts_follow=texts_follow)
        if position and texts_follow:
            self._scrubbing.put(position, texts)


def write_report(report: dict[str, Any]) -> None:
    """Write a JSON line to standard output. It is dropped if the pipe is full or closed."""
    line = json.dumps(report).encode() + b"\n"
    try:
        if select.select([], [1], [], 0)[1]:
            os.write(1, line)
    except OSError:
        pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the input ends; return the exit status."""
    parser = argparse.ArgumentParser(prog="robo_poet.request_log")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--settings", default="{}")
    options = parser.parse_args(arguments)
    # A signal to the gateway's process group reaches this process too. It ends when its input ends, so ignore both signals.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)
    os.nice(NICENESS)
    program = Program(options.folder, RequestLogSettings.model_validate_json(options.settings))
    incomplete_line, recovered = b"", False
    while True:
        if select.select([0], [], [], TICK_SECONDS)[0]:
            data = os.read(0, READ_BYTES)
            if not data:
                break
            *lines, incomplete_line = (incomplete_line + data).split(b"\n")
            for line in lines:
                program.process_line(line)
        elif not recovered:  # recover at the first idle moment, because incoming records have priority
            recovered = True
            program.recover()
        program.tick()
    if not recovered:
        program.recover()
    program.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
