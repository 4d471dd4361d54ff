"""The operational log of the gateway: JSON lines on standard error, with the request id, without texts or credentials."""

import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog

SENSITIVE = frozenset(
    "prompt text texts completion completions generated_text stop_tokens body data content input json form query url "
    "authorization api_key apikey x_api_key key token access_token refresh_token jwt secret password passwd cookie set_cookie headers "
    "user username email sub ip client".split()
)
OWN_LOGGERS = ("serving.", "robo_poet.")
REPEATS = 20  # equal warnings or errors per minute
MESSAGES = 1000  # different messages whose repetitions are counted
FRAMES = 6  # innermost frames of a traceback that are logged


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send the logs of structlog and of the standard library (including uvicorn) to `stream`, one JSON object per line.

    Context variables (`structlog.contextvars.bind_contextvars(request_id=…)`) appear on every line.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        without_exception_text,
        without_sensitive_keys,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[without_foreign_values, *shared],
            pass_foreign_args=True,
            processors=[
                with_repetitions,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=_type_name),
            ],
        )
    )
    handler.addFilter(RepeatLimit())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.NOTSET)
    access = logging.getLogger("uvicorn.access")  # it logs full addresses and query strings; the audit log has the needed part
    access.handlers.clear()
    access.propagate = False
    for name in ("httpx", "httpcore"):  # they log a line for each call, on the hot path
        logging.getLogger(name).setLevel(logging.WARNING)


class RepeatLimit(logging.Filter):
    """A filter that passes at most `REPEATS` equal warnings or errors per minute, so that clients cannot fill the log with one message.

    The next one that passes has the number of those left out, in the field `left_out`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._counts: dict[tuple[str, int, str], list[float]] = {}  # begin of the minute, number of records

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the record is to be logged."""
        if record.levelno < logging.WARNING:
            return True
        message = record.msg.get("event", "") if isinstance(record.msg, dict) else record.msg
        key, now = (record.name, record.levelno, str(message)), self._clock()
        if key not in self._counts and len(self._counts) >= MESSAGES:
            self._counts.clear()
        count = self._counts.setdefault(key, [now, 0])
        if now - count[0] >= 60:
            record.left_out = int(max(0, count[1] - REPEATS))
            count[:] = now, 0
        count[1] += 1
        return count[1] <= REPEATS


def with_repetitions(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the number of equal records that `RepeatLimit` left out."""
    if left_out := getattr(event.get("_record"), "left_out", 0):
        event["left_out"] = left_out
    return event


def without_foreign_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep of a library's message the first line, and of its values only numbers.

    Libraries quote what a client sent: asyncio prints an exception with its text, a server prints a path with its query.
    """
    record, values = event.get("_record"), event.pop("positional_args", ())
    if isinstance(record, logging.LogRecord) and not record.name.startswith(OWN_LOGGERS):
        is_numeric = isinstance(values, tuple) and all(isinstance(value, int | float) for value in values)
        event["event"] = str(event["event"] if is_numeric else record.msg).partition("\n")[0]
    return event


def without_sensitive_keys(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop fields that may hold text or a credential, at any depth. Only the name of the field counts; see `SENSITIVE`."""
    for key in [key for key in event if _sensitive(key)]:
        del event[key]
    for key, value in event.items():
        if not key.startswith("_"):  # internal fields of structlog
            event[key] = _clean(value)
    return event


def without_exception_text(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its type and location. Its message may contain user text: a parser quotes the input that it cannot read."""
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["exception"] = [f"{type(cause).__module__}.{type(cause).__qualname__}" for cause in _causes(error)]
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        event["where"] = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _causes(error: BaseException) -> list[BaseException]:
    chain = [error]
    while len(chain) < FRAMES and (cause := chain[-1].__cause__ or chain[-1].__context__):
        chain.append(cause)
    return chain


def _sensitive(key: str) -> bool:
    return key.lower().replace("-", "_") in SENSITIVE


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _clean(inner) for key, inner in value.items() if not _sensitive(str(key))}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


def _type_name(value: Any) -> str:
    """Return the type name of a value that JSON cannot encode. Its representation might contain user text."""
    return f"<{type(value).__name__}>"
