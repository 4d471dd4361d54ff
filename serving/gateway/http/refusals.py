"""The one form of every error: `{"status": "error", "error": {"code", "message", "field"?}, "request_id"}` (SERVE-2)."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from serving.refusal import Refused

# What Starlette itself refuses, in our words.
_HTTP = {
    404: ("not_found", "there is nothing at this address; GET /openapi.json lists what there is"),
    405: ("method_not_allowed", "this address does not take that method; see Allow"),
}
# Names that other services have for our fields.
_ELSEWHERE = {
    "prompt": "text", "input": "text", "max_tokens": "max_length", "max_new_tokens": "max_length", "n": "num_samples",
    "stop": "stop_tokens", "logprobs": "token_probabilities", "id": "completion_id",
}  # fmt: skip
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


def half_pair(field: str) -> RefusedField:
    """A text holds half a surrogate pair."""
    return RefusedField(field[:64], "half a surrogate pair is no character; send UTF-8 or whole pairs", code="invalid_text")


def of_validation(error: ValidationError, known: Sequence[str] = ()) -> Refused:
    """The first thing that is wrong with a body. Nothing of what was sent is repeated but the name of a field.

    Args:
        known: names that there are, of which the nearest to an unknown one is told.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Refused(400, "invalid_json", "the body cannot be read as JSON (a number may be too long); send one object")
    # A field and places in its list; what else Pydantic tells of the way (members of a union, validators) is our inside.
    field = ".".join(str(part) for number, part in enumerate(first["loc"]) if number == 0 or isinstance(part, int))[:64]
    if not field:
        return Refused(422, "invalid_body", "the body is not as it should be: " + _words(first["msg"]))
    told = {"missing": "it is required", "extra_forbidden": "there is no such field"}.get(first["type"])
    if first["type"] == "extra_forbidden" and (near := _nearest(field, known)):
        told = f"{told}; did you mean {near}?"
    return RefusedField(field, told or _words(first["msg"]))


def _nearest(field: str, known: Sequence[str]) -> str:
    elsewhere = _ELSEWHERE.get(field, "")
    return elsewhere if elsewhere in known else next(iter(get_close_matches(field, known, 1)), "")


def _words(message: str) -> str:
    """Pydantic's sentence, without its capital and without the prefix of our own validators."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
