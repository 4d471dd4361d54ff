"""Tests of the playground's routes without a browser: files, headers and content security policy."""

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from serving.playground.page import CONTENT_SECURITY_POLICY, STATIC, routes

FILES = sorted(file.name for file in STATIC.iterdir())


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()))


def test_the_page_is_served_at_the_root_without_a_key(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<title>robo-poet</title>" in answer.text


@pytest.mark.parametrize("path", ["/", *(f"/playground/{name}" for name in FILES)])
def test_every_response_has_the_security_policy_and_is_revalidated(client: TestClient, path: str) -> None:
    answer = client.get(path)
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]}) if path != "/" else answer
    assert again.status_code == (304 if path != "/" else 200)
    for each in (answer, again):
        assert each.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert each.headers["cache-control"] == "no-cache"
        assert each.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_modules_have_the_javascript_media_type(client: TestClient, name: str) -> None:
    assert client.get(f"/playground/{name}").headers["content-type"] == "text/javascript; charset=utf-8"


def test_the_policy_allows_no_external_and_no_inline_code() -> None:
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert not re.search(r"unsafe|https?:|\*|data:|blob:", CONTENT_SECURITY_POLICY)


@pytest.mark.parametrize("name", FILES)
def test_no_file_has_inline_code_or_an_external_url(name: str) -> None:
    text = (STATIC / name).read_text().replace("http://www.w3.org/2000/svg", "")  # the namespace of SVG
    assert not re.search(r"https?://|//[\w-]+\.\w", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text)


def test_every_referenced_file_exists_and_is_used(client: TestClient) -> None:
    named = set(re.findall(r'(?:href|src)="(/[^"]+)"', client.get("/").text))
    for module in STATIC.glob("*.js"):
        named |= {f"/playground/{name}" for name in re.findall(r'from "\./([\w.]+)"', module.read_text())}
    assert len(named) > 10
    for path in named:
        assert client.get(path).status_code == 200, path
    assert {f"/playground/{name}" for name in FILES} - named == {"/playground/index.html"}  # no unused file


@pytest.mark.parametrize("path", ["/playground/nothing.js", "/playground/../page.py", "/playground/%2e%2e/page.py", "/playground/"])
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_nothing_can_be_posted_to_it(client: TestClient) -> None:
    assert client.post("/").status_code == 405
    assert client.post("/playground/playground.js").status_code == 405
