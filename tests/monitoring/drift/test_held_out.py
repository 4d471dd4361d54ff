"""Held-out text scored with the served version: by a stand-in for what can go wrong, and by the real model server for a damaged model."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitoring.drift.held_out import HeldOutScorer, held_out_texts
from monitoring.drift.history import History
from monitoring.drift.report import judge_window
from monitoring.drift.traffic import collect_traffic, read_traffic, write_traffic
from monitoring.drift.watch import Watcher
from monitoring.drift.windows import Period
from monitoring.retraining.facts import read_facts
from robo_poet.errors import BadInput
from robo_poet.judges.drift.observations import HeldOut
from robo_poet.model.completion import scored_tokens
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from serving.model_sync.sync import lay_out
from tests.conftest import verse
from tests.monitoring.drift.served import HELD_OUT, MODEL, damage, nats_of, release, settings_of
from tests.monitoring.drift.test_watch import SETTINGS, TODAY, Clock
from tests.monitoring.logged import Sent, write_log
from tests.monitoring.retraining.listening import alert, starts, trigger
from tests.serving.model_server.conftest import Server, arguments

CARD = json.dumps({"samples": {
    "drawn": [{"prompt": HELD_OUT[0], "text": "a completion"}, {"prompt": HELD_OUT[1], "text": "a completion"}],
    "good": [{"prompt": HELD_OUT[0], "text": "a completion", "reference": HELD_OUT[2], "picked_by": {}}], "beside_champion": [],
    "bad": [{"prompt": HELD_OUT[0], "text": "a completion", "reference": HELD_OUT[2], "picked_by": {}}],
}})  # fmt: skip


@contextmanager
def answering(status: int, body: Callable[[int], Any], pause: float = 0.0) -> Iterator[str]:
    """A stand-in for the model server. `body` returns the answer from the number of tokens. Yield its address.

    Args:
        pause: seconds before each byte of an answer.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps(body(len(call["inputs"]["tokens"][0]))).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            try:
                for start in range(len(answer)) if pause else (0,):
                    time.sleep(pause)
                    self.wfile.write(answer[start : start + 1] if pause else answer)
            except OSError:
                assert pause  # the caller gave up

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def scores(value: float, more: int = 0) -> Callable[[int], Any]:
    return lambda tokens: {"outputs": {"log_prob": [[value] * (tokens - 1 + more)]}}


@pytest.fixture
def registry(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> Registry:
    return release(tmp_path, toy_training, toy_tokenizer, CARD)


def score(registry: Registry, status: int, body: Callable[[int], Any]) -> HeldOut:
    with answering(status, body) as address:
        return HeldOutScorer(settings_of(address))(registry.released())


def test_the_texts_are_prompts_and_references_once_each_and_no_completions() -> None:
    assert held_out_texts(json.loads(CARD)) == [HELD_OUT[0], HELD_OUT[1], HELD_OUT[0] + HELD_OUT[2]]
    assert held_out_texts({"samples": {"drawn": []}}) == held_out_texts({"samples": {"drawn": [{"prompt": " "}]}}) == []
    for form in ({}, {"samples": []}, {"samples": {"drawn": [{}]}}, {"samples": {"drawn": ["text"]}}):
        with pytest.raises(BadInput, match="the samples of the card have another form"):
            held_out_texts(form)


@pytest.mark.parametrize(
    ("status", "body", "doubt"),
    [
        (404, scores(-2.0), "the model server does not serve poems/1"),
        (503, scores(-2.0), "the model server answers 503"),
        (200, scores(-2.0, more=-1), "no valid score"),
        (200, scores(math.nan), "scores that are not finite"),
        (200, scores(-math.inf), "scores that are not finite"),
        (200, lambda _: {"outputs": {"log_prob": []}}, "no valid score"),
        (200, lambda _: {"outputs": {"log_prob": [["x"]]}}, "no valid score"),
        (200, lambda _: [], "no valid score"),
    ],
)
def test_what_cannot_be_scored_has_a_doubt_and_no_score(registry: Registry, status: int, body: Callable[[int], Any], doubt: str) -> None:
    found = score(registry, status, body)
    assert (found.nats, found.sample) == (None, "") and doubt in found.doubt


def test_a_score_is_the_mean_over_all_tokens(registry: Registry) -> None:
    found = score(registry, 200, scores(-2.5))
    assert (found.nats, found.doubt) == (2.5, "") and len(found.sample) == 64
    padded = score(registry, 200, lambda tokens: {"outputs": {"log_prob": [[-2.5] * (tokens - 1) + [0.0] * 9]}})
    assert padded == found, "another call in the same batch was longer"


def test_an_answer_that_comes_slowly_is_given_up(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, but not all of them."""
    monkeypatch.setattr("monitoring.drift.held_out.CALL_SECONDS", 0.3)
    with answering(200, scores(-2.0), pause=0.1) as address:
        found = HeldOutScorer(settings_of(address))(registry.released())
    assert found.nats is None and found.passing and "the answer takes too long" in found.doubt


def test_a_server_that_is_not_there_and_a_text_that_would_be_sent_in_clear(registry: Registry) -> None:
    found = HeldOutScorer(ServeSettings(model_server="http://127.0.0.1:1"))(registry.released())
    assert found.doubt == "http://127.0.0.1:1: the model server cannot be reached (Connection refused); check serve.model_server"
    with pytest.raises(BadInput, match="would be sent without encryption"):
        HeldOutScorer(ServeSettings(model_server="http://models.example.com:8501"))


@pytest.mark.parametrize(
    ("card", "doubt"), [('{"samples": {"drawn": []}}', "the card of the version has no held-out text"), ("[]", "a JSON object is needed")]
)
def test_a_card_without_text_has_a_doubt(toy_training: Path, toy_tokenizer: Path, tmp_path: Path, card: str, doubt: str) -> None:
    assert doubt in score(release(tmp_path, toy_training, toy_tokenizer, card), 200, scores(-2.0)).doubt


def test_a_changed_tokenizer_is_not_used(registry: Registry) -> None:
    path = registry.released().folder / "tokenizer" / "tokenizer.json"
    path.chmod(0o644)
    path.write_text(path.read_text() + " ")
    assert "the file was changed after the registration" in score(registry, 200, scores(-2.0)).doubt


def test_a_damaged_model_is_the_cause_and_starts_no_training(registry: Registry, tmp_path: Path) -> None:
    """The weights in the folder of the model server get noise. Nobody checks their digests while it runs."""
    rows = [scored_tokens(Tokenizer.load(registry.released().folder / "tokenizer"), verse(seed, lines=3)) for seed in range(100, 160)]
    digest, models, history = registry.released().digest, tmp_path / "models", History(tmp_path / "drift")

    def day(number: int, nats: list[float]) -> Path:
        return write_log(tmp_path / "requests", (
            Sent(f"u{user}", value, tokens=len(rows[user]), day=TODAY + number + 0.3, digest=digest) for user, value in enumerate(nats)
        ))  # fmt: skip

    def look(server: Server, number: int) -> Any:
        scorer = HeldOutScorer(settings_of(server.http))
        return Watcher(registry, tmp_path / "requests", SETTINGS, history, Clock(number), scorer).look()[-1]

    @contextmanager
    def serving() -> Iterator[Server]:
        server = Server(tmp_path, *arguments(models / "models.config")[:2])
        try:
            yield server
        finally:
            assert server.end() == 0

    lay_out(registry, models, xla=False)
    with serving() as good:
        healthy = nats_of(good, rows)
        for number in (1, 2, 3):
            day(number, healthy)
        assert look(good, 3).action == "no_drift" and look(good, 4).action == "no_drift"
    before = (registry.baseline(1) or {})["heldout_nats"]

    damage(models / MODEL / "1", 2.0)
    with serving() as bad:
        for number in (4, 5):
            log = day(number, nats_of(bad, rows))
        rising, drift = look(bad, 5), look(bad, 6)
        now = datetime.fromtimestamp(Clock(6)(), UTC)
        period = Period.at(datetime.fromtimestamp(drift.start, UTC), SETTINGS.window_seconds)
        write_traffic(tmp_path / "traffic", collect_traffic(registry, log, SETTINGS, period, now, HeldOutScorer(settings_of(bad.http))))
    assert (rising.action, rising.cause) == ("rising", "the model itself"), rising.reasons
    assert (drift.action, drift.cause) == ("drift", "the model itself"), drift.reasons
    assert drift.evidence["heldout"]["rise"] > 0.2 and drift.evidence["heldout"]["baseline"] == before
    traffic, snapshot = read_traffic(tmp_path / "traffic")  # the pipeline says the same
    again = judge_window(1, digest, traffic.windows, traffic.baseline, SETTINGS, traffic.heldout, snapshot=snapshot, judged=0.0)
    assert (again.action, again.cause, again.reasons, again.evidence) == (drift.action, drift.cause, drift.reasons, drift.evidence)

    facts = read_facts(registry)
    program = trigger(tmp_path, facts)  # starts runs without a person, for other causes
    [decision] = program.receive([alert(facts, drift.cause)])
    assert decision.action == "wait_for_approval" and "a training run does not repair this cause" in decision.reasons[0]
    assert program.look() == [] and starts(tmp_path) == []

    lay_out(registry, models, xla=False)  # as at a start of the service: a copy that differs from the registry is replaced
    with serving() as repaired:
        assert HeldOutScorer(settings_of(repaired.http))(registry.released()).nats == before
