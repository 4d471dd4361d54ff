import json
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.serving.gateway.running import ALL, Gateway, wait_until


def test_responses_conform_to_the_openapi_description(live: Gateway, tmp_path: Path) -> None:
    # A text of one token (422) and an unknown id (404) conform to the schema but are refused.
    allowed = '["200", "401", "404", "408", "413", "415", "422", "429", "503"]'
    (tmp_path / "schemathesis.toml").write_text(f"[checks.positive_data_acceptance]\nexpected-statuses = {allowed}\n")
    key = live.key("ada", (*ALL, "end-users"))  # the description has the header X-End-User, which needs this scope
    assert wait_until(lambda: live.http.post("/v1/generate", json={}, headers={"X-API-Key": key}).status_code == 422)
    # The program, because its pytest plug-in does not support the installed pytest.
    command = [
        Path(sys.executable).parent / "schemathesis",
        "run",
        f"{live.address}/openapi.json",
        "--header",
        f"X-API-Key: {key}",
    ]
    command += [
        "--checks=all",
        "--max-examples=20",
        "--seed=1",
        "--no-color",
        "--generation-database=:memory:",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "5 selected / 5 total" in done.stdout


def test_no_tensorflow_is_imported() -> None:
    code = "import sys, serving.gateway.__main__; print([m for m in ('tensorflow', 'keras', 'spacy', 'presidio_analyzer') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("POST", "/v1/generate/", 404, "not_found"),
        ("GET", "/v1/generate", 405, "method_not_allowed"),
        ("POST", "/", 405, "method_not_allowed"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
        ("GET", "/playground/../../etc/passwd", 404, "not_found"),
    ],
)
def test_every_error_has_the_same_json_form(staged: Gateway, method: str, path: str, status: int, code: str) -> None:
    response = staged.http.request(method, path)
    assert (response.status_code, response.json()["status"], response.json()["error"]["code"]) == (status, "error", code)
    assert response.json()["request_id"] == response.headers["x-request-id"]


def test_an_internal_error_reveals_no_details(staged: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged.parts.ids, "issue", lambda *_: 1 / 0)
    response = staged.generate()
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal")
    assert "division" not in response.text and "Traceback" not in response.text


def test_the_playground_and_the_documentation_page_are_served(staged: Gateway) -> None:
    page = httpx.get(staged.address + "/")
    assert page.headers["content-type"].startswith("text/html") and httpx.get(staged.address + "/playground/api.js").status_code == 200
    docs = httpx.get(staged.address + "/docs")
    assert "style-src 'sha256-" in docs.headers["content-security-policy"]
    for word in ("/v1/generate", "temperature", "0.1 to 2", "finish_reasons", "Requires a key"):
        assert word in docs.text
    assert docs.text.count("<script") == 1 and "src=" not in docs.text  # nothing is loaded from anywhere


def test_the_documentation_page_sends_a_request_in_a_browser(staged: Gateway, tmp_path: Path) -> None:
    """Also a check of the Content-Security-Policy, which a browser enforces. In a process, as playwright's event loop would stay."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's package chromium")
    script = """
import sys
from playwright.sync_api import expect, sync_playwright

address, key, chromium, picture = sys.argv[1:]
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
    page, complaints = browser.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" and "favicon" not in message.text + str(message.location) else None)
    page.goto(address + "/docs")
    form = page.locator('form[data-path="/v1/generate"]')
    form.get_by_label("API key").fill(key)
    form.get_by_role("button").click()
    expect(form.locator("output")).to_contain_text('200 OK', timeout=20000)
    expect(form.locator("output")).to_contain_text('"generated_text"')
    assert complaints == [], complaints
    form.get_by_label("Body").fill('{"text": ""}')
    form.get_by_role("button").click()
    expect(form.locator("output")).to_contain_text("422", timeout=20000)
    live = page.locator('form[data-path="/healthz"]')
    live.get_by_role("button").click()
    expect(live.locator("output")).to_contain_text('"alive"', timeout=20000)
    page.set_viewport_size({"width": 390, "height": 800})
    assert form.evaluate("form => form.scrollWidth <= form.clientWidth")
    form.screenshot(path=picture)
"""
    command = [sys.executable, "-c", script, staged.address, str(staged.http.headers["X-API-Key"]), chromium, str(tmp_path / "docs.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]


def test_each_status_is_described(staged: Gateway) -> None:
    paths = json.loads(httpx.get(staged.address + "/openapi.json").text)["paths"]
    assert set(paths["/v1/generate"]["post"]["responses"]) == {
        "200",
        "400",
        "401",
        "403",
        "408",
        "413",
        "415",
        "422",
        "429",
        "500",
        "502",
        "503",
        "504",
    }
    for status, response in paths["/v1/generate"]["post"]["responses"].items():
        if status != "200":
            assert response["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")


def test_the_audit_log_has_the_request_without_its_text(staged: Gateway) -> None:
    answer = staged.generate(text="the heart that no log may contain").json()
    folder = Path(staged.parts.settings.folder) / "audit"

    def line() -> dict[str, object] | None:
        lines = [json.loads(text) for path in folder.glob("*.jsonl") for text in path.read_text().splitlines()]
        return next((record for record in lines if answer["request_id"] in json.dumps(record)), None)

    assert wait_until(lambda: line() is not None)
    written = line()
    assert written is not None and answer["id"] in json.dumps(written) and written["status"] == 200 and written["version"] == 1
    assert "no log may contain" not in json.dumps(written) and answer["generated_text"][0] not in json.dumps(written)
