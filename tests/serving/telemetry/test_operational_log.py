import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from serving.telemetry.operational_log import MESSAGES, REPEATS, SENSITIVE, RepeatLimit, configure, without_sensitive_keys

SECRET = "whisper"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    output = io.StringIO()
    configure("info", output)
    yield output
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_is_a_json_object_with_the_request_id(stream: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(request_id="r1")
    structlog.get_logger("gateway").info("ready\nnow", version=3)
    logging.getLogger("uvicorn.error").warning("from %s", "uvicorn")
    structlog.get_logger("gateway").debug("not logged")
    ours, theirs = lines(stream)
    assert {key: ours[key] for key in ("event", "version", "request_id", "level", "logger")} == {
        "event": "ready\nnow", "version": 3, "request_id": "r1", "level": "info", "logger": "gateway",
    }  # fmt: skip
    assert (theirs["event"], theirs["request_id"], theirs["level"]) == ("from %s", "r1", "warning")
    assert ours["time"].endswith("Z")


@pytest.mark.parametrize("key", sorted(SENSITIVE | {"Authorization", "X-API-Key", "Set-Cookie"}))
def test_a_sensitive_field_is_dropped(stream: io.StringIO, key: str) -> None:
    structlog.get_logger().info("x", **{key: SECRET}, deep={"list": [{key: SECRET, "kept": 1}]})
    assert SECRET not in stream.getvalue()
    assert lines(stream)[0]["deep"] == {"list": [{"kept": 1}]}


def test_an_exception_is_logged_without_its_message(stream: io.StringIO) -> None:
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError as error:
        structlog.get_logger().exception("failed")
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
        logging.getLogger("uvicorn.error").exception("again")
    assert SECRET not in stream.getvalue()
    assert len(lines(stream)) == 3
    for line in lines(stream):
        assert line["exception"] == ["builtins.RuntimeError", "builtins.ValueError"]
        assert line["where"][-1].startswith("test_operational_log.py:")


def test_a_value_that_json_cannot_encode_is_logged_by_type(stream: io.StringIO) -> None:
    class Prompt:
        def __repr__(self) -> str:
            return SECRET

    structlog.get_logger().info("x", given=Prompt(), bytes=SECRET.encode())
    assert SECRET not in stream.getvalue()
    assert lines(stream)[0]["given"] == "<Prompt>"


def test_access_lines_are_not_logged(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info("%s %s", "127.0.0.1", f"/?text={SECRET}")
    logging.getLogger("httpx").info("HTTP Request: POST")
    assert stream.getvalue() == ""


def test_a_message_of_a_library_has_no_values_but_numbers(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning('%s - "WebSocket %s" 403', "192.0.2.1", f"/?key={SECRET}")
    logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{SECRET}')>")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("serving.gateway").info("serving: %s", "version 3")
    assert SECRET not in stream.getvalue() and "192.0.2.1" not in stream.getvalue()
    events = ['%s - "WebSocket %s" 403', "Task exception was never retrieved", "Started server process [7]", "serving: version 3"]
    assert [line["event"] for line in lines(stream)] == events


def test_equal_warnings_are_limited_and_counted(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(1000):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
        structlog.get_logger("serving.gateway").error("request failed", route="generate")
        structlog.get_logger("serving.gateway").info("content filter")
    assert len(lines(stream)) == 1000 + 2 * REPEATS
    [limit] = logging.getLogger().handlers[0].filters
    assert isinstance(limit, RepeatLimit)
    now = time.monotonic() + 61
    monkeypatch.setattr(limit, "_clock", lambda: now)
    structlog.get_logger("serving.gateway").error("request failed", route="generate")
    assert lines(stream)[-1]["left_out"] == 1000 - REPEATS
    for number in range(5000):
        logging.getLogger("uvicorn.error").warning(f"message {number}")
    assert len(limit._counts) <= MESSAGES


KEYS = st.sampled_from(sorted(SENSITIVE)) | st.sampled_from(["port", "version"])
VALUES = st.recursive(st.just(SECRET), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)


@given(st.dictionaries(st.sampled_from(sorted(SENSITIVE)), VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=4))
def test_sensitive_fields_are_dropped_at_any_depth(sensitive: dict[str, Any], mixed: dict[str, Any]) -> None:
    cleaned = without_sensitive_keys(None, "info", {**mixed, **sensitive})

    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from keys(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from keys(inner)

    assert set(keys(cleaned)) <= {"port", "version"}
