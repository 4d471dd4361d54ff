"""The request body: reading it up to a size limit, and parsing it as one JSON object. Errors name the field or position, and the cause."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from serving.gateway.http.refusals import unpaired_surrogate, validation_refusal
from serving.gateway.http.responses import ClientDisconnected
from serving.refusal import Refused

_SURROGATE = re.compile("[\ud800-\udfff]")


def check_json(text: str) -> None:
    """Check for errors that Pydantic does not report clearly. For a duplicate field, for example, Pydantic takes the last value.

    Raises:
        Refused: 400 if the body is empty, not JSON, or has a duplicate field; 422 if a string contains an unpaired surrogate.
    """
    if not text.strip():
        raise Refused(400, "invalid_json", "the body is empty; send one JSON object")
    try:
        # Pydantic parses the numbers later, and strictly. Parsing a long number here would only cost time.
        value = json.loads(text, object_pairs_hook=_unique_fields, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        reason = f"{error.msg[:1].lower()}{error.msg[1:]}".strip(" :").removesuffix(" at")
        raise Refused(400, "invalid_json", f"the body is not JSON, at character {error.pos + 1}: {reason}") from None
    except RecursionError:
        raise Refused(400, "invalid_json", "the JSON is nested too deeply; send one flat object") from None
    if "\\u" in text and isinstance(value, dict):  # an unpaired surrogate can only come from an escape: unescaped, it is not valid UTF-8
        for name, field_value in value.items():
            _check_surrogates(name, field_value)


def _unique_fields(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise Refused(400, "invalid_json", f"{_SURROGATE.sub('?', name[:64])}: the body has this field more than once; send it once")
    return fields


def _check_surrogates(name: str, value: Any) -> None:
    if isinstance(value, str) and _SURROGATE.search(value):
        raise unpaired_surrogate(name)
    for index, item in enumerate(value if isinstance(value, list) else ()):
        _check_surrogates(f"{name}.{index}", item)


Body = TypeVar("Body", bound=BaseModel)
CLOSE_CONNECTION = {"Connection": "close"}  # unread body bytes would be parsed as the next request


async def read_body(request: Request, kind: type[Body], *, limit: int, seconds: float) -> Body:
    """Read and validate a JSON body.

    Args:
        limit: maximum size in bytes. Reading stops at the limit, with or without a Content-Length header.
        seconds: maximum time to receive the body.

    Raises:
        Refused: 400 (not UTF-8 or not JSON), 408 (too slow), 413 (too large), 415 (wrong content type) or 422 (invalid field).
        ClientDisconnected: the client disconnected.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":  # cross-site forms can post without a CORS preflight, but not with this content type
        raise Refused(415, "unsupported_media_type", "send Content-Type: application/json", CLOSE_CONNECTION)
    content_length = request.headers.get("content-length", "")
    if content_length.isascii() and content_length.isdigit() and int(content_length) > limit:
        raise _too_long(limit)
    try:
        async with asyncio.timeout(seconds):
            data = await _read_bytes(request, limit)
    except TimeoutError:
        raise Refused(408, "slow_body", f"the body did not arrive within {seconds:g} seconds; send it faster", CLOSE_CONNECTION) from None
    except ClientDisconnect:
        raise ClientDisconnected from None
    return parse_body(data, kind)


def parse_body(data: bytes, kind: type[Body]) -> Body:
    """Parse and validate a JSON body.

    Raises:
        Refused: 400 (not UTF-8 or not JSON) or 422 (invalid field).
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Refused(400, "invalid_utf8", f"the body is not UTF-8, at byte {error.start}; send UTF-8") from None
    check_json(text)
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise validation_refusal(error, tuple(kind.model_fields)) from None


async def _read_bytes(request: Request, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_long(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_long(limit: int) -> Refused:
    return Refused(413, "body_too_large", f"the body is longer than {limit} bytes; send a shorter text", CLOSE_CONNECTION)
