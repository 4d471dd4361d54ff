"""The description of the API, and the page at /docs. test_app.py sends requests by it (schemathesis)."""

import re

from fastapi import FastAPI

from serving.gateway.api.openapi import describe, docs_page, error_responses, request_spec
from serving.gateway.schema import GenerateRequest


def app() -> FastAPI:
    api = FastAPI(title="poems")

    @api.post("/v1/poems", summary="Continue a text", openapi_extra=request_spec(GenerateRequest), responses=error_responses(401, 429))
    async def poems() -> None:
        """Continue `text` <safely>."""

    describe(api)
    return api


def test_the_request_body_is_described() -> None:
    operation = app().openapi()["paths"]["/v1/poems"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["$ref"].endswith("/GenerateRequest")
    assert {"401", "429"} <= set(operation["responses"])


def test_the_page_loads_nothing_and_escapes_descriptions() -> None:
    page = docs_page(app().openapi())
    assert "/v1/poems" in page and "Continue a text" in page and "num_samples" in page
    assert page.count("<script") == 1 and not re.search(r"""(?:src|href)=["']https?:""", page)
    assert "&lt;safely&gt;" in page and "<safely>" not in page
