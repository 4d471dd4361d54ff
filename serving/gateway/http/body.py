"""The body of a request: read up to its limit, and parsed as one JSON object. Errors say where and why."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from serving.gateway.http.refusals import half_pair, of_validation
from serving.gateway.http.streaming import ClientGone
from serving.refusal import Refused

_HALF = re.compile("[\ud800-\udfff]")


def check_json(text: str) -> None:
    """Look for what the reader of fields (Pydantic's) cannot name, or does not mind: it takes the last of two equal names.

    Raises:
        Refused: 400, it is empty, no JSON, or has a name twice; 422, a text holds half a surrogate pair.
    """
    if not text.strip():
        raise Refused(400, "invalid_json", "the body is empty; send one object of JSON")
    try:
        # Numbers are read later, and strictly: here a long one would only cost time.
        value = json.loads(text, object_pairs_hook=_once, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        told = f"{error.msg[:1].lower()}{error.msg[1:]}".strip(" :").removesuffix(" at")
        raise Refused(400, "invalid_json", f"the body is not JSON, at character {error.pos + 1}: {told}") from None
    except RecursionError:
        raise Refused(400, "invalid_json", "the body is nested too deep; send one plain object") from None
    if "\\u" in text and isinstance(value, dict):  # raw, a half would be no UTF-8
        for name, held in value.items():
            _whole(name, held)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise Refused(400, "invalid_json", f"{_HALF.sub('?', name[:64])}: the body has this field twice; send it once")
    return found


def _whole(name: str, value: Any) -> None:
    if isinstance(value, str) and _HALF.search(value):
        raise half_pair(name)
    for number, one in enumerate(value if isinstance(value, list) else ()):
        _whole(f"{name}.{number}", one)


Body = TypeVar("Body", bound=BaseModel)
TAKE_LEAVE = {"Connection": "close"}  # what was not read cannot be told from the next request


async def read_body(request: Request, kind: type[Body], *, limit: int, seconds: float) -> Body:
    """Read and check a JSON body.

    Args:
        limit: bytes; of a longer one no more is read, whether its length was told or not.
        seconds: for a client that sends slowly.

    Raises:
        Refused: 400, 408, 413, 415 or 422, in this order of cause: no UTF-8 or JSON, too slow, too long, another type, not as it should be.
    """
    type_ = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if type_ != "application/json":  # a form of another site can send without asking, but not this type
        raise Refused(415, "unsupported_media_type", "send Content-Type: application/json", TAKE_LEAVE)
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told) > limit:
        raise _too_long(limit)
    try:
        async with asyncio.timeout(seconds):
            data = await _bytes(request, limit)
    except TimeoutError:
        raise Refused(408, "slow_body", f"the body did not arrive within {seconds:g} seconds; send it faster", TAKE_LEAVE) from None
    except ClientDisconnect:
        raise ClientGone from None
    return parse_body(data, kind)


def parse_body(data: bytes, kind: type[Body]) -> Body:
    """Check a JSON body.

    Raises:
        Refused: 400 or 422.
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Refused(400, "invalid_utf8", f"the body is not UTF-8, at byte {error.start}; send UTF-8") from None
    check_json(text)
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise of_validation(error, tuple(kind.model_fields)) from None


async def _bytes(request: Request, limit: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_long(limit)
        parts.append(part)
    return b"".join(parts)


def _too_long(limit: int) -> Refused:
    return Refused(413, "body_too_large", f"the body is longer than {limit} bytes; send a shorter text", TAKE_LEAVE)
