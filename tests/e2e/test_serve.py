"""`robo-poet serve` as a person has it: both programs, a key, a browser, and a promotion while it runs."""

import itertools
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import Stage
from tests.e2e.conftest import Shell
from tests.e2e.served import Served

TEXT = "my heart burns"


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that the programs do by themselves."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture(scope="module")
def registry(shell: Shell, toy_training: Path, toy_tokenizer: Path) -> Registry:
    found = Registry(shell.folder / "registry", "ci-shakespeare")
    for note in ("one", "two"):
        found.register(
            {"model": toy_training / "model", "tokenizer": toy_tokenizer}, metrics={"perplexity": 41.0}, lineage={"note": note}, decision={},
            stage=Stage.CANDIDATE, who="test", why="a toy", identity=note,
        )  # fmt: skip
    found.promote(1, who="test", why="the first")
    return found


@pytest.fixture(scope="module")
def served(shell: Shell, registry: Registry) -> Iterator[Served]:
    found = Served(shell)
    yield found
    if found.process.poll() is None:
        found.end()


def test_a_text_is_written_streamed_and_rated(served: Served) -> None:
    answer = served.ask(text=TEXT, seed=7, max_length=40)
    assert answer.status_code == 200, answer.text
    whole = answer.json()
    assert whole["status"] == "success" and whole["metadata"]["model_version"] == "1" and len(whole["generated_text"]) == 1
    assert whole["metadata"]["perplexity"] > 1 and whole["metadata"]["tokens_generated"] <= 40

    with httpx.stream(
        "POST", f"{served.address}/v1/generate", json={"text": TEXT, "seed": 7, "max_length": 40, "stream": True},
        headers={"X-API-Key": served.key}, timeout=60,
    ) as stream:  # fmt: skip
        lines = list(stream.iter_lines())
    events = [
        (kind.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for kind, data in itertools.pairwise(lines)
        if kind.startswith("event: ")
    ]
    assert "".join(data["text"] for kind, data in events if kind == "text") == whole["generated_text"][0]
    assert events[-1][0] == "done" and events[-1][1]["status"] == "success"

    rated = served.ask("/v1/feedback", completion_id=whole["id"], rating=5)
    assert rated.status_code == 200, rated.text
    assert served.ask("/v1/feedback", completion_id="x" + whole["id"][1:], rating=5).status_code in (404, 422)
    assert served.ask(key="rp_" + "a" * 16 + "_" + "b" * 43, text=TEXT).status_code == 401
    page = httpx.get(f"{served.address}/metrics").text
    assert re.search(r'robo_poet_\w+_total\{[^}]*version="1"[^}]*\}', page)


def test_a_user_generates_a_text_in_a_browser(served: Served) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed; infra/test-packages.sh installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{served.address}/#key={served.key}")
        page.get_by_label("Text to continue").fill(TEXT)
        page.get_by_role("button", name="Generate").click()
        page.get_by_text("version 1").first.wait_for(timeout=60_000)
        assert served.key not in page.url and TEXT in page.inner_text("body")
        browser.close()
    assert said == []


def test_a_promotion_reaches_users_without_failed_requests(served: Served, registry: Registry) -> None:
    registry.start_canary(2, who="test", why="to be tried")
    registry.promote(2, who="test", why="better")
    seen: set[str] = set()

    def served_by_two() -> bool:
        answer = served.ask(text=TEXT, max_length=5)
        if answer.status_code == 429:  # a hundred a minute: not the model's business
            return False
        assert answer.status_code == 200, answer.text
        seen.add(answer.json()["metadata"]["model_version"])
        return "2" in seen

    eventually(served_by_two)
    assert seen <= {"1", "2"}


def test_the_logs_have_no_text_of_a_request(served: Served) -> None:
    secret = "write to me at jane.roe@example.org"
    assert served.ask(text=f"{TEXT} {secret}", max_length=5).status_code == 200
    said = served.end()
    assert said.rstrip().endswith("stopping …")
    folder = served.shell.folder / ".serve"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "revoked: the server that created it has stopped" in served.shell.type("keys", "list")
    audit = "".join(path.read_text() for path in (folder / "audit").iterdir())
    logs = "".join((folder / name).read_text() for name in ("gateway.log", "model_server.log"))
    assert TEXT not in audit + logs and "jane.roe" not in audit + logs and served.key.split("_", 2)[2] not in audit + logs
    assert '"route":"generate"' in audit

    from robo_poet.request_log.query import read

    rows = read(folder / "requests").to_pylist()
    assert any(row["prompt"].startswith(TEXT) for row in rows) and not any("jane.roe" in json.dumps(row, default=str) for row in rows)


def test_a_missing_champion_is_reported_in_one_line(fresh_shell: Callable[[], Shell]) -> None:
    assert fresh_shell().type("serve", "--port", "0", status=2).strip().endswith("robo-poet run")
