"""Error responses. All have one JSON form: `{"status": "error", "error": {"code", "message", "field"?}, "request_id"}` (SERVE-2)."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from robo_poet.errors import validation_message
from serving.gateway.http.responses import json_response
from serving.refusal import Refused

# Codes and messages for errors that Starlette raises.
_HTTP = {
    404: ("not_found", "no endpoint has this path; GET /openapi.json lists the endpoints"),
    405: ("method_not_allowed", "the endpoint does not support this method; see the Allow header"),
}
# Field names of other text generation APIs and the names here.
_EQUIVALENT_FIELDS = {
    "prompt": "text", "input": "text", "max_tokens": "max_length", "max_new_tokens": "max_length", "n": "num_samples",
    "stop": "stop_tokens", "logprobs": "token_probabilities", "id": "completion_id",
}  # fmt: skip


class RefusedField(Refused):
    """A request with an invalid field.

    Args:
        field: field name; for a list item, with a dot and its index.
        reason: the error and the allowed values.
    """

    def __init__(self, field: str, reason: str, *, status: int = 422, code: str = "invalid_field") -> None:
        super().__init__(status, code, f"{field}: {reason}")
        self.field = field


def error_body(refused: Refused, request_id: str) -> dict[str, Any]:
    """Return the JSON body of an error response."""
    error = {"code": refused.code, "message": refused.message}
    if isinstance(refused, RefusedField):
        error["field"] = refused.field
    return {"status": "error", "error": error, "request_id": request_id}


def error_response(refused: Refused, request_id: str) -> Response:
    """Return the HTTP response for a refusal."""
    return json_response(error_body(refused, request_id), refused.status, refused.headers)


def internal() -> Refused:
    """Return the refusal for an unexpected exception: 500. The log has the details."""
    return Refused(500, "internal", "an internal error occurred; try again, and if it persists, report the request_id to the operator")


def model_failed() -> Refused:
    """Return the refusal for an error or an invalid response of the model server: 502."""
    return Refused(502, "model_failed", "the model server returned an error or an invalid response; try again")


def framework_refusal(status: int, headers: Mapping[str, str] | None = None) -> Refused:
    """Return the refusal for an HTTPException of the framework. Of its headers only `Allow` is kept."""
    code, message = _HTTP.get(status, ("bad_request", "the request is invalid"))
    return Refused(status, code, message, {name: value for name, value in (headers or {}).items() if name.lower() == "allow"})


def unpaired_surrogate(field: str) -> RefusedField:
    """Return the refusal for a string with an unpaired surrogate: 422."""
    return RefusedField(field[:64], "the text has an unpaired surrogate; send UTF-8 or complete pairs", code="invalid_text")


def validation_refusal(error: ValidationError, known: Sequence[str] = ()) -> Refused:
    """Return the refusal for the first validation error of a body. The message repeats no sent value, only the field name.

    Args:
        known: valid field names. The closest one is suggested for an unknown field.
    """
    first_error = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first_error["type"] == "json_invalid":
        return Refused(400, "invalid_json", "the body is not valid JSON (a number may be too long); send one JSON object")
    # Keep the field name and list indexes. The other parts of Pydantic's location (union members, validators) are internal.
    field = ".".join(str(part) for position, part in enumerate(first_error["loc"]) if position == 0 or isinstance(part, int))[:64]
    if not field:
        return Refused(422, "invalid_body", "the body is invalid: " + validation_message(first_error["msg"]))
    message = {"missing": "the field is required", "extra_forbidden": "unknown field"}.get(first_error["type"])
    if first_error["type"] == "extra_forbidden" and (suggestion := _nearest(field, known)):
        message = f"{message}; did you mean {suggestion}?"
    return RefusedField(field, message or validation_message(first_error["msg"]))


def _nearest(field: str, known: Sequence[str]) -> str:
    equivalent = _EQUIVALENT_FIELDS.get(field, "")
    return equivalent if equivalent in known else next(iter(get_close_matches(field, known, 1)), "")
