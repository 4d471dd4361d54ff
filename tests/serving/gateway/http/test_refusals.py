"""The JSON form of errors. Which request gets which error, the API tests show."""

import json

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from serving.gateway.http.refusals import RefusedField, error_response, framework_refusal, validation_refusal
from serving.gateway.http.responses import json_response
from serving.refusal import Refused


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str
    max_length: int = 100


def refused_by(body: str) -> Refused:
    with pytest.raises(ValidationError) as error:
        Body.model_validate_json(body)
    return validation_refusal(error.value, list(Body.model_fields))


def test_an_error_has_code_message_and_request_id() -> None:
    response = error_response(Refused(503, "overloaded", "try again", {"Retry-After": "1"}), "r-1")
    assert (response.status_code, response.headers["Retry-After"], response.headers["Cache-Control"]) == (503, "1", "no-store")
    assert json.loads(response.body) == {
        "status": "error", "error": {"code": "overloaded", "message": "try again"}, "request_id": "r-1",
    }  # fmt: skip


def test_an_invalid_field_is_named() -> None:
    response = error_response(RefusedField("top_k", "1 to 100"), "r-1")
    assert response.status_code == 422
    assert json.loads(response.body)["error"] == {"code": "invalid_field", "message": "top_k: 1 to 100", "field": "top_k"}


@pytest.mark.parametrize(
    ("body", "field", "part"),
    [
        ('{"prompt": "x", "text": "y"}', "prompt", "did you mean text?"),
        ('{"text": "y", "max_tokens": 3}', "max_tokens", "did you mean max_length?"),
        ('{"text": "y", "max_lenght": 3}', "max_lenght", "did you mean max_length?"),
        ("{}", "text", "required"),
        ('{"text": 3}', "text", "string"),
    ],
)
def test_a_wrong_body_names_its_field_and_never_repeats_a_value(body: str, field: str, part: str) -> None:
    refused = refused_by(body)
    assert isinstance(refused, RefusedField) and refused.field == field
    assert part in refused.message and refused.message.count("\n") == 0


def test_a_body_that_is_not_json_is_400() -> None:
    assert (refused_by("{").status, refused_by("{").code) == (400, "invalid_json")


def test_only_the_allow_header_of_the_framework_is_kept() -> None:
    refused = framework_refusal(405, {"Allow": "POST", "Server": "x"})
    assert (refused.status, refused.code, dict(refused.headers or {})) == (405, "method_not_allowed", {"Allow": "POST"})


def test_a_response_cannot_hold_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_response({"perplexity": float("nan")})
