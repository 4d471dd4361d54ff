"""The audit log: one JSON line for each interaction, with user and result but without any text (SERVE-3)."""

import contextlib
import json
import os
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from robo_poet.settings.serve import TelemetrySettings
from serving.telemetry.pseudonym import Pseudonyms


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and its result. The log contains keyed digests of `user`, `prompt` and `completions`, never the values.

    Attributes:
        route: `generate`, `feedback` …
        status: HTTP status.
        milliseconds: duration of the request.
        user: the user; empty if not authenticated (401).
        credential: public id of the key or token.
        code: code of the refusal; empty after a success.
        completion_id: id of the completion, or of the completion that feedback is about.
        version: number of the model version, or None.
        arm: arm of the deployment, such as `champion` or `canary`.
        rule: rule of the content filter that refused the text.
        parameters: generation parameters; never text of a user.
        prompt_tokens, tokens: tokens of the prompt and of all completions.
    """

    request_id: str
    route: str
    status: int
    milliseconds: float
    user: str = ""
    credential: str = ""
    code: str = ""
    completion_id: str = ""
    version: int | None = None
    arm: str = ""
    rule: str = ""
    parameters: Mapping[str, float | bool] = field(default_factory=dict)
    prompt_tokens: int = 0
    tokens: int = 0
    prompt: str | None = None
    completions: Sequence[str] = ()


WRITE_INTERVAL_SECONDS = 0.25  # seconds between two writes: a crash loses at most the lines of this time
FILE_NAME = "audit-%Y-%m-%d.jsonl"


class AuditLog:
    """A writer that appends to `<folder>/audit-YYYY-MM-DD.jsonl` (UTC, mode 0600) in a background thread. Replicas may share the folder.

    If the disk is full or missing, lines are dropped and counted in `counts`. Requests never fail because of the log.
    """

    def __init__(self, folder: Path, pseudonyms: Pseudonyms, settings: TelemetrySettings | None = None, *, model: str = "") -> None:
        self._folder, self._pseudonyms, self._model, self._settings = folder, pseudonyms, model, settings or TelemetrySettings()
        self._waiting: queue.SimpleQueue[tuple[float, Interaction]] = queue.SimpleQueue()
        self._written = self._dropped = 0
        self._line_is_cut = False
        self._day = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-log", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of lines `written` and `dropped`."""
        return {"written": self._written, "dropped": self._dropped}

    def write(self, interaction: Interaction) -> None:
        """Queue an interaction. This takes about a microsecond; the line is on disk within a second."""
        if self._closing.is_set() or self._waiting.qsize() >= self._settings.audit_queue:
            self._dropped += 1
        else:
            self._waiting.put((time.time(), interaction))

    def close(self) -> None:
        """Write the queued lines and stop the thread."""
        self._closing.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            closing = self._closing.wait(WRITE_INTERVAL_SECONDS)
            self._write_waiting()
            if closing:
                return

    def _write_waiting(self) -> None:
        days: dict[str, list[bytes]] = {}
        with contextlib.suppress(queue.Empty):
            while True:
                at, interaction = self._waiting.get_nowait()
                moment = datetime.fromtimestamp(at, UTC)
                try:
                    days.setdefault(moment.strftime(FILE_NAME), []).append(self._line(moment, interaction))
                except (TypeError, ValueError, AttributeError):  # an invalid value drops its own line and does not stop the thread
                    self._dropped += 1
        for name, lines in days.items():
            try:
                self._append(self._folder / name, b"".join(lines))
                self._written += len(lines)
            except OSError:
                self._dropped += len(lines)
                continue
            if name != self._day:
                self._day = name
                self._remove_old()

    def _append(self, path: Path, data: bytes) -> None:
        """Append with a single write, so that lines of two replicas do not mix."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if self._line_is_cut:
                data = b"\n" + data
            written = os.write(handle, data)
            self._line_is_cut = written < len(data)
            if self._line_is_cut:
                raise OSError(f"only {written} of {len(data)} bytes written")
        finally:
            os.close(handle)

    def _line(self, moment: datetime, interaction: Interaction) -> bytes:
        record = {
            "time": moment.isoformat(timespec="milliseconds"),
            "request_id": interaction.request_id,
            "user": self._pseudonyms.user(interaction.user) if interaction.user else "",
            "credential": interaction.credential,
            "route": interaction.route,
            "status": interaction.status,
            "code": interaction.code,
            "completion_id": interaction.completion_id,
            "model": self._model,
            "version": interaction.version,
            "arm": interaction.arm,
            "rule": interaction.rule,
            "parameters": dict(interaction.parameters),
            "prompt_tokens": interaction.prompt_tokens,
            "tokens": interaction.tokens,
            "milliseconds": round(interaction.milliseconds, 3),
            "prompt_hmac": None if interaction.prompt is None else self._pseudonyms.text(interaction.prompt),
            "completion_hmacs": self._pseudonyms.texts(interaction.completions),
        }
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"

    def _remove_old(self) -> None:
        oldest = (datetime.now(UTC) - timedelta(days=self._settings.audit_keep_days)).strftime(FILE_NAME)
        for path in self._folder.glob("audit-????-??-??.jsonl"):
            if path.name < oldest:
                with contextlib.suppress(OSError):
                    path.unlink()
