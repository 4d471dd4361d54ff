"""The API's description: what FastAPI does not see by itself, since bodies are read by us (SERVE-2)."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from serving.gateway.schema import ErrorAnswer, FeedbackRequest, GenerateRequest

_REF = "#/components/schemas/{model}"
ABOUT = """Continues a text, by the version of the model that is champion.

Every error has one form, with a code for programs and a sentence for people. An `X-Request-ID` of yours (1 to 64 letters, digits,
`.`, `_`, `-`) comes back in each answer and stands in our logs; without one we make it."""
_MEANS = {
    400: "no UTF-8, or no JSON", 401: "no key, or one that is not known, expired or revoked", 403: "the key's scopes do not hold this",
    404: "there is no such thing", 405: "not by this method", 408: "the body came too slowly", 413: "the body is too large",
    415: "the body is not application/json", 422: "a field is wrong, or the content filter refused", 429: "too many requests a minute",
    500: "a defect of ours", 502: "the model gave no answer that can be used", 503: "too busy, or no model is there",
    504: "not done within the deadline",
}  # fmt: skip
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
_LIMIT = {
    f"RateLimit-{name}": {"description": told, "schema": {"type": "integer", "minimum": 0}}
    for name, told in (("Limit", "Requests in a minute."), ("Remaining", "Left now."), ("Reset", "Seconds until there are more."))
}
_KEYS: list[dict[str, list[str]]] = [{"key": []}, {"bearer": []}]


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Documentation of these statuses, all of one schema."""
    return {
        status: {"model": ErrorAnswer, "description": _MEANS[status].capitalize() + ".", **_waits(status)} for status in statuses
    }  # fmt: skip


def limited(description: str) -> dict[str, Any]:
    """A success that tells how much is left of the rate limit."""
    return {"description": description, "headers": _LIMIT}


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that needs a key and reads a body of this form."""
    schema = {"$ref": _REF.format(model=model.__name__)}
    examples = (model.model_config.get("json_schema_extra") or {}).get("examples", [])  # type: ignore[union-attr]
    shown = {f"example {number}": {"value": one} for number, one in enumerate(examples, 1)}  # type: ignore[arg-type]
    content = {"application/json": {"schema": schema, "examples": shown}}
    return {"requestBody": {"required": True, "content": content}, "security": _KEYS}


def describe(app: FastAPI) -> None:
    """Make `app.openapi()` whole; made once."""

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
            schemas = found["components"]["schemas"]
            for model in (GenerateRequest, FeedbackRequest):
                schemas[model.__name__] = model.model_json_schema(ref_template=_REF)
            found["components"]["securitySchemes"] = {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer", "description": "an API key, or a JWT of the issuer that is set up"},
            }
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = whole  # type: ignore[method-assign]


def _waits(status: int) -> Mapping[str, Any]:
    return {"headers": _RETRY} if status in (429, 503) else {}
