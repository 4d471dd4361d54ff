"""The audit log: JSON lines about each interaction, with user and result but without any text (SERVE-3).

- The line is written before the first byte of the answer. So every answer that a client has seen has its line, also after `kill -9`.
- Refused requests are counted by client and code: the first one in an interval has its own line, all further ones have one line together.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from robo_poet.settings.serve import TelemetrySettings
from serving.telemetry.audit_files import AuditFiles, Kind
from serving.telemetry.pseudonym import Pseudonyms
from serving.telemetry.refusals import OTHER, RefusalCounts, RefusalKey

Entry = Literal["answer", "start", "end"]


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and its result. The log contains keyed digests of `user`, `prompt` and `completions`, never the values.

    Attributes:
        route: `generate`, `feedback` …
        status: HTTP status.
        milliseconds: duration of the request until the line is written.
        user: the user; empty if not authenticated (401).
        credential: public id of the key or token.
        code: code of the refusal; empty after a success.
        completion_id: id of the completion, or of the completion that feedback is about.
        version: number of the model version, or None.
        arm: arm of the deployment, such as `champion` or `canary`.
        rule: rule of the content filter that refused the text.
        parameters: generation parameters; never text of a user.
        prompt_tokens, tokens: tokens of the prompt and of all completions.
        entry: `answer` for the only line of an interaction; `start` before a stream, and `end` after it.
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
    entry: Entry = "answer"


TICK_SECONDS = 1.0
TRIM_SECONDS = 30.0  # seconds between two looks at the folder; it is also looked at when a segment is full
WARN_SECONDS = 3600.0  # seconds between two warnings of one kind
PARAMETER_DIGITS = 4  # decimals of a logged parameter: 16 decimals of a temperature can be a card number
MEGABYTE = 1_000_000


class AuditLog:
    """A writer of the files in `folder`; see `AuditFiles`. Thread-safe. Replicas may share the folder.

    If the disk is full or missing, lines are dropped and counted in `counts`. Requests never fail because of the log.

    Args:
        say: called with each warning for the operator.
    """

    def __init__(
        self, folder: Path, pseudonyms: Pseudonyms, settings: TelemetrySettings | None = None, *, model: str = "",
        say: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._pseudonyms, self._model, self._settings, self._say = pseudonyms, model, settings or TelemetrySettings(), say
        self._files = AuditFiles(folder, int(self._settings.audit_megabytes * MEGABYTE), self._settings.audit_keep_days)
        self._refusals = RefusalCounts(self._settings.audit_refusal_addresses)
        self._written = self._dropped = 0
        self._warned: dict[str, float] = {}
        self._lock = threading.Lock()  # of the counts
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-log", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of lines `written` and `dropped`."""
        return {"written": self._written, "dropped": self._dropped}

    @property
    def removed(self) -> Mapping[str, int]:
        """Bytes removed because the folder was full, by kind: `interactions` and `refusals`."""
        return self._files.removed

    def write(self, interaction: Interaction) -> None:
        """Write the line of an interaction. It is in the kernel when this returns. This takes about 40 µs."""
        now = datetime.now(UTC)
        try:
            line = self._line(now, interaction)
        except (TypeError, ValueError, AttributeError):  # an invalid value drops its own line, and the request goes on
            self._drop()
            return
        self._append("audit", now, line)

    def refuse(self, key: RefusalKey, request_id: str) -> None:
        """Count a refused request. The first one of its key in an interval gets a line before this returns."""
        now = time.time()
        with self._lock:
            first = self._refusals.add(key, now)
        if first is not None:
            self._append_refusals(first, 1, now, now, request_id)

    def close(self) -> None:
        """Write the counts and stop the thread."""
        self._closing.set()
        self._thread.join(timeout=10)
        self._files.close()

    def _run(self) -> None:
        flush_at = time.monotonic() + self._settings.audit_refusal_seconds
        trim_at = 0.0
        while True:
            closing = self._closing.wait(min(TICK_SECONDS, self._settings.audit_refusal_seconds))
            now = time.monotonic()
            if closing or now >= flush_at:
                flush_at = now + self._settings.audit_refusal_seconds
                self._write_counts()
            if now >= trim_at:
                trim_at = now + TRIM_SECONDS
                self._files.trim()
            self._warn_of_removals()
            if closing:
                return

    def _write_counts(self) -> None:
        with self._lock:
            counts = self._refusals.drain()
        for key, count in counts:
            self._append_refusals(key, count.count, count.first, count.last)

    def _append_refusals(self, key: RefusalKey, count: int, first: float, last: float, request_id: str = "") -> None:
        record = {
            "time": _iso(datetime.fromtimestamp(first, UTC)),
            "until": _iso(datetime.fromtimestamp(last, UTC)),
            "count": count,
            "request_id": request_id,
            "address": OTHER if key.address == OTHER else self._pseudonyms.address(key.address),
            "user": self._pseudonyms.user(key.user) if key.user else "",
            "credential": key.credential,
            "route": key.route,
            "status": key.status,
            "code": key.code,
            "model": self._model,
        }
        self._append("refusals", datetime.now(UTC), _encode(record))

    def _append(self, kind: Kind, now: datetime, line: bytes) -> None:
        try:
            if self._closing.is_set() and not self._thread.is_alive():
                raise OSError("the log is closed")
            self._files.append(kind, line, now)
            with self._lock:
                self._written += 1
        except OSError as error:
            self._drop()
            self._warn("dropped", f"audit lines cannot be written and are lost ({error.strerror or error})")

    def _drop(self) -> None:
        with self._lock:
            self._dropped += 1

    def _warn(self, kind: str, message: str) -> None:
        now = time.monotonic()
        if now - self._warned.get(kind, float("-inf")) >= WARN_SECONDS:
            self._warned[kind] = now
            self._say(message)

    def _warn_of_removals(self) -> None:
        for kind, size in self.removed.items():
            if size:
                limit = f"{self._settings.audit_megabytes:g} MB"
                self._warn(kind, f"the audit folder has reached {limit} (serve.telemetry.audit_megabytes); the oldest {kind} are removed")

    def _line(self, moment: datetime, interaction: Interaction) -> bytes:
        return _encode({
            "time": _iso(moment),
            "entry": interaction.entry,
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
            "parameters": rounded(interaction.parameters),
            "prompt_tokens": interaction.prompt_tokens,
            "tokens": interaction.tokens,
            "milliseconds": round(interaction.milliseconds, 3),
            "prompt_hmac": None if interaction.prompt is None else self._pseudonyms.text(interaction.prompt),
            "completion_hmacs": self._pseudonyms.texts(interaction.completions),
        })  # fmt: skip


def rounded(parameters: Mapping[str, float | bool]) -> dict[str, float | bool]:
    """Return the parameters with `PARAMETER_DIGITS` decimals."""
    return {name: round(value, PARAMETER_DIGITS) if isinstance(value, float) else value for name, value in parameters.items()}


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _encode(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"
