"""The OpenAPI description of the API, and the page at /docs that is rendered from it, with a form that sends a request (SERVE-2)."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from serving.access.caller import END_USER_CHARACTERS, END_USERS_SCOPE
from serving.gateway.schema import ErrorAnswer, FeedbackRequest, GenerateRequest

_REF = "#/components/schemas/{model}"
ABOUT = """Continues a text with the champion version of the model.

All errors have the same JSON form, with a code for programs and a message for users. Each request gets an id,
`request_id` in the body; the server's logs contain it. A client can set `X-Request-ID` (1 to 64 letters, digits, `.`, `_`, `-`). It is
returned in this header, and not logged.

An application whose key has the scope `end-users` names the person it asks for in the header `X-End-User` (1 to 128 visible
ASCII characters). From another key the header is refused."""
_STATUS_DESCRIPTIONS = {
    400: "The body is not UTF-8 or not JSON, or the header X-End-User is invalid.", 401: "The key is missing, unknown, expired or revoked.",
    403: "The key does not have the scope of this endpoint, or of the header X-End-User.",
    404: "Not found.", 405: "Method not allowed.", 408: "The body arrived too slowly.", 413: "The body is too large.",
    415: "The body is not application/json.", 422: "A field is invalid, or the content filter refused a text.", 429: "Rate limit reached.",
    500: "Internal error.", 502: "The model server returned an error or an invalid response.", 503: "Overloaded, or no model is available.",
    504: "The deadline was exceeded.",
}  # fmt: skip
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
_LIMIT = {
    f"RateLimit-{name}": {"description": description, "schema": {"type": "integer", "minimum": 0}}
    for name, description in (
        ("Limit", "Requests per minute."),
        ("Remaining", "Requests left."),
        ("Reset", "Seconds until the limit is reset."),
    )
}
_END_USER = {
    "name": "X-End-User", "in": "header", "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": END_USER_CHARACTERS, "pattern": "^[!-~]+$"},
    "description": f"Id of the person that an application asks for; it needs a key with the scope `{END_USERS_SCOPE}`. The id decides "
    "between champion and canary, and only a keyed digest of it is logged. Rate limits stay those of the key.",
}  # fmt: skip
_KEYS: list[dict[str, list[str]]] = [{"key": []}, {"bearer": []}]


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for these error statuses. All have the schema `ErrorAnswer`."""
    return {
        status: {"model": ErrorAnswer, "description": _STATUS_DESCRIPTIONS[status], **_retry_header(status)} for status in statuses
    }  # fmt: skip


def rate_limited(description: str) -> dict[str, Any]:
    """Return the description of a success response with rate limit headers."""
    return {"description": description, "headers": _LIMIT}


def request_spec(model: type[BaseModel]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that needs a key and reads a body of type `model`."""
    schema = {"$ref": _REF.format(model=model.__name__)}
    examples = (model.model_config.get("json_schema_extra") or {}).get("examples", [])  # type: ignore[union-attr]
    named_examples = {f"example {number}": {"value": example} for number, example in enumerate(examples, 1)}  # type: ignore[arg-type]
    content = {"application/json": {"schema": schema, "examples": named_examples}}
    return {"requestBody": {"required": True, "content": content}, "security": _KEYS, "parameters": [_END_USER]}


def describe(app: FastAPI) -> None:
    """Add request schemas and security schemes to `app.openapi()`. The description is built once and cached."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
            schemas = document["components"]["schemas"]
            for model in (GenerateRequest, FeedbackRequest):
                schemas[model.__name__] = model.model_json_schema(ref_template=_REF)
            document["components"]["securitySchemes"] = {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer", "description": "an API key, or a JWT of the configured issuer"},
            }
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]


def _retry_header(status: int) -> Mapping[str, Any]:
    return {"headers": _RETRY} if status in (429, 503) else {}


STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-top: 1px solid #8886; padding-top: 1.5rem; }
code, pre { font: 0.9em ui-monospace, monospace; }
pre { background: #8882; padding: 0.8rem; border-radius: 6px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92em; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid #8883; }
.method { font-size: 0.8em; opacity: 0.7; }
label { display: block; margin: 0.5rem 0; }
input, textarea { box-sizing: border-box; width: 100%; font: 0.9em ui-monospace, monospace; padding: 0.4rem; }
"""
# Sends the form of an operation and shows the response as text. The page works without it: the forms are then hidden.
SCRIPT = """
for (const form of document.querySelectorAll("form")) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = form.querySelector("output"), body = form.elements.body, key = form.elements.key;
    const headers = body ? { "Content-Type": "application/json" } : {};
    if (key && key.value) headers["X-API-Key"] = key.value.trim();
    answer.textContent = "…";
    try {
      const response = await fetch(form.dataset.path, { method: form.dataset.method, headers, body: body ? body.value : undefined });
      const text = await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* a stream or plain text */ }
      answer.textContent = `${response.status} ${response.statusText}\n${shown}`;
    } catch (error) {
      answer.textContent = `no response: ${error.message}`;
    }
  });
}
"""


def _csp_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_csp_hash(STYLE)}; script-src {_csp_hash(SCRIPT)}; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}
Schema = Mapping[str, Any]


def docs_page(openapi: Schema) -> str:
    """Return the HTML of the documentation page."""
    about = "".join(f"<p>{_text(paragraph)}</p>" for paragraph in openapi["info"]["description"].split("\n\n"))
    operations = [
        _operation(path, method, operation, openapi) for path, methods in openapi["paths"].items() for method, operation in methods.items()
    ]
    title = escape(openapi["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}: the API</title><style>{STYLE}</style></head><body><h1>{title}: the API</h1>{about}"
        f'<p>Machine-readable description: <a href="/openapi.json">openapi.json</a>.</p>'
        f"{''.join(operations)}<script>{SCRIPT}</script></body></html>"
    )


def _operation(path: str, method: str, operation: Schema, openapi: Schema) -> str:
    sections = [f'<h2><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h2>']
    sections += [f"<p><strong>{_text(operation['summary'])}</strong></p><p>{_text(operation.get('description', ''))}</p>"]
    if operation.get("security"):
        sections.append("<p>Requires a key: <code>X-API-Key: rp_…</code> or <code>Authorization: Bearer …</code>.</p>")
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        sections.append(_fields("Request", _resolved(content["schema"], openapi), openapi))
        sections += [_example(example["value"]) for example in content.get("examples", {}).values()]
    sections.append(_form(path, method, operation))
    for status, response in operation["responses"].items():
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        if status == "200" and schema:
            answer_schema = _resolved(schema, openapi)
            sections.append(_fields("Response", answer_schema, openapi))
            sections += [_example(example) for example in answer_schema.get("examples", ())]
    rows = "".join(f"<tr><td>{escape(s)}</td><td>{_text(r['description'])}</td></tr>" for s, r in operation["responses"].items())
    sections.append(f"<h3>Status</h3><table>{rows}</table>")
    return "".join(sections)


def _form(path: str, method: str, operation: Schema) -> str:
    """Return the form that sends a request to an operation. The script shows it and sends it."""
    key = '<label>API key <input name="key" type="password" autocomplete="off"></label>' if operation.get("security") else ""
    body = ""
    if "requestBody" in operation:
        examples = operation["requestBody"]["content"]["application/json"].get("examples", {})
        first = json.dumps(next(iter(examples.values()), {"value": {}})["value"], indent=2, ensure_ascii=False)
        body = f'<label>Body <textarea name="body" rows="{first.count(chr(10)) + 2}" spellcheck="false">{escape(first)}</textarea></label>'
    return (
        f'<form hidden data-path="{escape(path)}" data-method="{method.upper()}"><h3>Try it</h3>{key}{body}'
        '<button type="submit">Send request</button><pre><output></output></pre></form>'
    )


def _fields(title: str, schema: Schema, openapi: Schema) -> str:
    rows = "<tr><th>Field</th><th>Value</th><th></th></tr>" + "".join(_rows(schema, openapi, title == "Request"))
    return f"<h3>{title}</h3><p>{_text(schema.get('description', ''))}</p><table>{rows}</table>"


def _rows(schema: Schema, openapi: Schema, is_request: bool, prefix: str = "") -> Iterator[str]:
    for name, field_schema in schema.get("properties", {}).items():
        resolved = _resolved(field_schema, openapi)
        required = " (required)" if is_request and name in schema.get("required", ()) else ""
        description = _text(field_schema.get("description", "" if "properties" in resolved else resolved.get("description", "")))
        value = escape(_type_text(resolved) + required)
        yield f"<tr><td><code>{escape(prefix + name)}</code></td><td>{value}</td><td>{description}</td></tr>"
        yield from _rows(resolved, openapi, is_request, f"{prefix}{name}.")


def _type_text(schema: Schema) -> str:
    kinds = schema.get("anyOf", [schema])
    description = " or ".join(str(alternative.get("type", "object")) for alternative in kinds)
    if "const" in schema or "enum" in schema:
        description = " or ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    low, high = (next((alternative[key] for alternative in kinds if key in alternative), None) for key in ("minimum", "maximum"))
    if low is not None or high is not None:
        description += f", {'' if low is None else f'{low:g}' if abs(low) < 1e6 else low} to {'' if high is None else high}".rstrip()
    return description + (f"; {json.dumps(schema['default'])} by default" if schema.get("default") is not None else "")


def _resolved(schema: Schema, openapi: Schema) -> Schema:
    reference = schema.get("$ref")
    return openapi["components"]["schemas"][reference.rsplit("/", 1)[-1]] if reference else schema


def _example(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _text(text: str) -> str:
    """Return escaped HTML. Text between backticks becomes `<code>`."""
    return "".join(f"<code>{escape(part)}</code>" if number % 2 else escape(part) for number, part in enumerate(text.split("`")))
