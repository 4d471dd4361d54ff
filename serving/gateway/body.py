"""A request's body: read no further than it may be long, and refused in words."""

import asyncio
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from serving.gateway.disconnect import ClientGone
from serving.gateway.json_text import check_json
from serving.gateway.refusals import of_validation
from serving.refusal import Refused

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
