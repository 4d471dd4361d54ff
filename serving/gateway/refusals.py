"""The one form of every error: `{"status": "error", "error": {"code", "message", "field"?}, "request_id"}` (SERVE-2)."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from serving.refusal import Refused

# What Starlette itself refuses, in our words.
_HTTP = {
    404: ("not_found", "there is nothing at this address; GET /openapi.json lists what there is"),
    405: ("method_not_allowed", "this address does not take that method; see Allow"),
}
INTERNAL = Refused(500, "internal", "something failed here; try again, and if it stays so, tell the operator the request_id")

MODEL_FAILED = Refused(502, "model_failed", "the model gave no answer that can be used; try again")


class RefusedField(Refused):
    """A field of the body cannot be used.

    Args:
        field: its name, with a dot and a number for a member of a list.
        told: what is wrong and what is allowed.
    """

    def __init__(self, field: str, told: str, *, status: int = 422, code: str = "invalid_field") -> None:
        super().__init__(status, code, f"{field}: {told}")
        self.field = field


def error_body(refused: Refused, request_id: str) -> dict[str, Any]:
    """The form."""
    error = {"code": refused.code, "message": refused.message}
    if isinstance(refused, RefusedField):
        error["field"] = refused.field
    return {"status": "error", "error": error, "request_id": request_id}


def error_response(refused: Refused, request_id: str) -> Response:
    """The answer to a request that is refused."""
    return json_response(error_body(refused, request_id), refused.status, refused.headers)


def json_response(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON; no cache keeps it."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text.encode(), status, {**(headers or {}), "Cache-Control": "no-store"}, "application/json")


def internal() -> Refused:
    """A defect of ours; the log has it."""
    return Refused(500, "internal", "something failed here; try again, and if it stays so, tell the operator the request_id")


def model_failed() -> Refused:
    """A defect of the model server's, or an answer that is none."""
    return Refused(502, "model_failed", "the model gave no answer that can be used; try again")


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Refused:
    """What the framework refuses by a bare status."""
    code, message = _HTTP.get(status, ("bad_request", "this request cannot be read"))
    return Refused(status, code, message, {name: value for name, value in (headers or {}).items() if name.lower() == "allow"})


def of_validation(error: ValidationError) -> Refused:
    """The first thing that is wrong with a body. Nothing of what was sent is repeated but the name of a field."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Refused(400, "invalid_json", "the body is not JSON; send one object")
    field = ".".join(str(part) for part in first["loc"] if not str(part).startswith("function-"))[:64]
    if not field:
        return Refused(422, "invalid_body", "the body is not as it should be: " + _words(first["msg"]))
    told = {"missing": "it is required", "extra_forbidden": "there is no such field"}.get(first["type"])
    return RefusedField(field, told or _words(first["msg"]))


def _words(message: str) -> str:
    """Pydantic's sentence, without its capital and without the prefix of our own validators."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
