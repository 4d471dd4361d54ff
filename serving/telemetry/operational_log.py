"""The operational log of the gateway: JSON lines on standard error, with the request id, without texts or credentials."""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

SENSITIVE = frozenset(
    "prompt text texts completion completions generated_text stop_tokens body data content input json form query url "
    "authorization api_key apikey x_api_key key token access_token refresh_token jwt secret password passwd cookie set_cookie headers "
    "user username email sub ip client".split()
)
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
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(default=_type_name)],
        )
    )
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
