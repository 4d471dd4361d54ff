"""Against a server on the loopback that checks each field it is sent."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from robo_poet.errors import BadInput
from robo_poet.settings.content_filter import ContentFilterSettings, ModerationSettings, Sides
from serving.content_filter.decision import FilterDecision
from serving.content_filter.filter import ContentFilter

KEY = "loopback-key-17"
TEXT = "Shall I compare thee to a summer’s day? 🌞"
ALONE: dict[str, Any] = {
    "rules": Sides(prompt="off", completion="off"),
    "words": Sides(prompt="off", completion="off"),
    "toxicity": Sides(prompt="off", completion="off"),
}


@dataclass
class Service:
    """What the server answers and what it was asked."""

    url: str = ""
    status: int = 200
    scores: dict[str, object] = field(default_factory=lambda: {"TOXICITY": 0.1, "SEVERE_TOXICITY": 0.01})
    body: bytes | None = None
    wait: threading.Event | None = None
    headers: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def check(self, path: str, headers: Any, data: bytes) -> None:
        request = json.loads(data.decode("utf-8"))
        expected = {"comment", "requestedAttributes", "doNotStore", "languages"}
        checks = {
            "path": path == "/v1alpha1/comments:analyze",
            "key": headers["X-Goog-Api-Key"] == KEY and KEY not in path,
            "content type": headers["Content-Type"] == "application/json",
            "fields": set(request) <= expected and {"comment", "requestedAttributes", "doNotStore"} <= set(request),
            "comment": set(request["comment"]) == {"text", "type"}
            and isinstance(request["comment"]["text"], str)
            and request["comment"]["type"] == "PLAIN_TEXT",
            "attributes": request["requestedAttributes"] == {"TOXICITY": {}, "SEVERE_TOXICITY": {}},
            "not stored": request["doNotStore"] is True,
            "languages": request.get("languages") in (None, ["en"]),
        }
        self.faults += [name for name, good in checks.items() if not good]
        self.asked.append(request)

    def answer(self) -> bytes:
        if self.body is not None:
            return self.body
        return json.dumps(
            {
                "attributeScores": {name: {"summaryScore": {"value": score, "type": "PROBABILITY"}} for name, score in self.scores.items()},
                "languages": ["en"],
            }
        ).encode()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("ROBO_POET_MODERATION_KEY", KEY)
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.check(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            if state.wait:
                state.wait.wait(10)
            body = state.answer()
            try:
                self.send_response(state.status)
                for name, value in {"Content-Length": str(len(body)), **state.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the client gave up, which is the test
                pass

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1alpha1/comments:analyze"
    yield state
    if state.wait:
        state.wait.set()
    server.shutdown()
    thread.join()
    server.server_close()
    assert state.faults == []


def ask(service: Service, text: str = TEXT, side: Any = "prompt", **settings: Any) -> FilterDecision:
    async def once() -> FilterDecision:
        chosen = ModerationSettings(**{"sides": Sides(), "url": service.url, **settings})
        made = ContentFilter(ContentFilterSettings(**ALONE, moderation=chosen))
        try:
            return await made.moderate(text, side)
        finally:
            await made.aclose()

    return asyncio.run(once())


def test_the_request_has_the_form_of_the_api(service: Service) -> None:
    assert ask(service) == FilterDecision(True)
    assert service.asked[0] == {
        "comment": {"text": TEXT, "type": "PLAIN_TEXT"}, "requestedAttributes": {"TOXICITY": {}, "SEVERE_TOXICITY": {}}, "doNotStore": True, "languages": ["en"],
    }  # fmt: skip


def test_without_languages_the_request_has_no_languages(service: Service) -> None:
    ask(service, languages=())
    assert "languages" not in service.asked[0]


@pytest.mark.parametrize(
    ("scores", "decision"),
    [
        ({"TOXICITY": 0.89, "SEVERE_TOXICITY": 0.79}, FilterDecision(True)), ({"TOXICITY": 0.9, "SEVERE_TOXICITY": 0}, FilterDecision(False, "moderation.toxicity", "toxicity")),
        ({"TOXICITY": 0.95, "SEVERE_TOXICITY": 0.99}, FilterDecision(False, "moderation.severe_toxicity", "severe_toxicity")),
    ],
)  # fmt: skip
def test_a_score_at_or_above_its_threshold_is_a_hit(service: Service, scores: dict[str, object], decision: FilterDecision) -> None:
    service.scores = scores
    assert ask(service) == decision


def test_only_enabled_sides_call_the_service_and_a_logged_hit_passes(service: Service) -> None:
    service.scores = {"TOXICITY": 1, "SEVERE_TOXICITY": 0}
    sides = Sides(prompt="log", completion="off")
    assert ask(service, sides=sides) == FilterDecision(True, "moderation.toxicity", "toxicity")
    assert ask(service, side="completion", sides=sides) == FilterDecision(True)
    assert ask(service, text=" \n") == FilterDecision(True)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500}, {"status": 403}, {"status": 429}, {"status": 302, "headers": {"Location": "/elsewhere"}}, {"body": b"no JSON"}, {"body": b"{}"}, {"body": b"[]"}, {"body": b"\xff"},
        {"body": b"[" * 60_000}, {"body": b" " * 100_000}, {"scores": {"TOXICITY": 0.1}}, {"scores": {"TOXICITY": "high", "SEVERE_TOXICITY": 0}},
        {"scores": {"TOXICITY": float("nan"), "SEVERE_TOXICITY": 0}}, {"scores": {"TOXICITY": 7, "SEVERE_TOXICITY": 0}}, {"scores": {"TOXICITY": None, "SEVERE_TOXICITY": 0}},
    ],
    ids=lambda fault: str(fault)[:40],
)  # fmt: skip
def test_a_failed_call_refuses_or_allows_as_configured(service: Service, fault: dict[str, Any]) -> None:
    for name, value in fault.items():
        setattr(service, name, value)
    assert ask(service) == FilterDecision(False, "moderation.failure", "unavailable")
    assert ask(service, on_failure="allow") == FilterDecision(True)
    assert len(service.asked) == 2  # a redirect was not followed


def test_a_call_ends_at_its_timeout(service: Service) -> None:
    service.wait = threading.Event()
    assert ask(service, timeout_seconds=0.2) == FilterDecision(False, "moderation.failure", "unavailable")


def test_an_unreachable_service_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBO_POET_MODERATION_KEY", KEY)
    assert ask(Service(url="http://127.0.0.1:9/")) == FilterDecision(False, "moderation.failure", "unavailable")


def test_lone_surrogates_are_sent_as_question_marks(service: Service) -> None:
    ask(service, text="moon\ud83c")
    assert service.asked[0]["comment"]["text"] == "moon?"


def test_a_proxy_is_not_used_for_a_service_on_loopback(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert ask(service) == FilterDecision(True)


def test_neither_key_nor_text_is_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(service)
    assert caplog.text and KEY not in caplog.text and "summer" not in caplog.text


def test_the_key_is_read_from_a_file(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROBO_POET_MODERATION_KEY")
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert ask(service, key_file=str(tmp_path / "key")) == FilterDecision(True)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), ("", "no API key"), ("two words", "other than printable ASCII"), ("naïve", "other than printable ASCII")],
)
def test_an_invalid_key_is_an_error_at_the_start_and_is_not_shown(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
    chosen = ModerationSettings(sides=Sides(), url="http://127.0.0.1:9/", key_file=str(path))
    with pytest.raises(BadInput, match=message) as error:
        ContentFilter(ContentFilterSettings(**ALONE, moderation=chosen))
    assert not content or content not in str(error.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sides": Sides()}, "text_may_leave is false"), ({"url": "http://moderation.example/x"}, "use https"), ({"url": "https://h.example/x?key=1"}, "address is written to logs"),
        ({"url": "https://a:b@h.example/"}, "written to logs"), ({"url": "ftp://h.example"}, "not an http or https"), ({"url": "nonsense"}, "not an http or https"), ({"attributes": {}}, "at least 1"),
        ({"attributes": {"TOXICITY": 0}}, "is out of range"), ({"timeout_seconds": 0}, "greater than 0"), ({"on_failure": "shrug"}, "'refuse' or 'allow'"),
        ({"sides": Sides(), "url": "http://127.0.0.1.example/"}, "use https"), ({"sides": Sides(), "url": "https://127.0.0.1.example/"}, "text_may_leave is false"),
    ],
)  # fmt: skip
def test_settings_refuse_to_send_texts_to_another_machine_without_consent(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModerationSettings(**given)


def test_settings_allow_another_machine_with_consent() -> None:
    assert ModerationSettings(sides=Sides(), text_may_leave=True).called
    assert not ModerationSettings().called
