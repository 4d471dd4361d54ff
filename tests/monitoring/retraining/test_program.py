"""The trigger as a process, with the real receiver, a real registry and real runs. Covers: facts."""

import json
import os
import random
import signal
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.drift.history import History, Judged
from monitoring.retraining.facts import corpus_of_champion, read_facts, window_of
from monitoring.retraining.log import RetrainingLog
from monitoring.retraining.program import listen, read_token
from robo_poet.errors import BadInput
from robo_poet.judges.retraining.decision import Alert
from robo_poet.registry.registry import Registry
from tests.monitoring.retraining.listening import AUTOMATIC, SAID, alert, facts_of, listening, message, place, starts, trigger

ROUNDS = 40 if os.environ.get("ROBO_POET_SOAK") else 2


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def log_of(folder: Path) -> RetrainingLog:
    return RetrainingLog(folder / "retraining" / "log", "poems")


def test_a_thousand_alerts_start_one_run(tmp_path: Path) -> None:
    """Duplicate, late, flapping and out-of-order alerts of one drift, in messages of 1 to 20 alerts, from four senders at once."""
    place(tmp_path)
    facts, dice = facts_of(tmp_path), random.Random(1)
    right = alert(facts)
    kinds = [right] * 6 + [replace(right, firing=False)] * 3 + [replace(right, starts_at="2026-03-09T12:00:00Z")] * 2
    late = [alert(facts, version=2), alert(facts, baseline="f" * 16), alert(facts, "broken or hostile input")]
    alerts = [right, *dice.choices([*kinds, *late], k=999)]
    dice.shuffle(alerts)
    messages, answers = list[bytes](), list[int]()
    while alerts:
        count = dice.randint(1, 20)
        messages.append(message(alerts[:count]))
        del alerts[:count]

    with listening(tmp_path, 0.5) as program:

        def send(share: list[bytes]) -> None:
            answers.extend(program.post(body).status for body in share)

        senders = [threading.Thread(target=send, args=(messages[start::4],)) for start in range(4)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        eventually(lambda: 'robo_poet_retraining_total{action="finished",model="poems"} 1.0' in program.metrics())
        eventually(lambda: not log_of(tmp_path).state().open)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(20) == 0
    assert set(answers) == {200} and len(answers) == len(messages)
    requests = {request.key: request for request in log_of(tmp_path).state().requests}
    assert {key.version: request.status for key, request in requests.items() if key != right.key} == {1: "refused", 2: "refused"}
    assert starts(tmp_path) == [run.id for run in requests[right.key].runs] and len(starts(tmp_path)) == 1


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_killed_program_finds_its_run_again(tmp_path: Path, number: int) -> None:
    place(tmp_path)
    facts, dice = facts_of(tmp_path), random.Random(number)
    with listening(tmp_path, 0.6) as program:
        assert program.post(message([alert(facts)])).status == 200
        time.sleep(dice.uniform(0, 0.3))
        program.process.kill()
    with listening(tmp_path, 0.6) as program:
        assert '"duplicate"' in program.post(message([alert(facts)])).text
        eventually(lambda: bool(log_of(tmp_path).state().requests[0].made))
    assert len(starts(tmp_path)) == 1


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_run_that_refused_its_input_while_the_program_was_dead_is_one_attempt(tmp_path: Path, number: int) -> None:
    """Killed before, during or after the run, which makes no folder. Each id is started once, and each attempt is noted."""
    place(tmp_path)
    facts, dice = facts_of(tmp_path), random.Random(number)
    with listening(tmp_path, 0.2, "refused") as program:
        assert program.post(message([alert(facts)])).status == 200
        time.sleep(dice.uniform(0, 0.4))
        program.process.kill()
    time.sleep(dice.choice((0, 0.3)))
    with listening(tmp_path, 0.0, "refused"):
        eventually(lambda: log_of(tmp_path).state().requests[0].status == "refused")
    [request] = log_of(tmp_path).state().requests
    assert starts(tmp_path) == [run.id for run in request.runs] and len(request.runs) == AUTOMATIC.attempts
    assert request.why.startswith("5 attempts failed; the last: the run ended with status 2: corpus: it is gone")


def test_a_second_program_and_a_busy_port_are_refused(tmp_path: Path) -> None:
    place(tmp_path)
    made = trigger(tmp_path, facts_of(tmp_path))
    with listening(tmp_path, 0.0) as program:
        with pytest.raises(BadInput, match="another trigger uses this folder .*http://127.0.0.1"):
            listen(made, tmp_path / "retraining", b"x" * 16, "127.0.0.1", 0, print)
        port = int(program.address.rpartition(":")[2])
        with pytest.raises(BadInput, match=f"127.0.0.1:{port}: the address cannot be used .*monitoring.retraining.port"):
            listen(made, tmp_path / "other", b"x" * 16, "127.0.0.1", port, print)


def test_a_defect_of_the_thread_that_starts_runs_ends_the_program(tmp_path: Path) -> None:
    place(tmp_path)
    made = trigger(tmp_path, facts_of(tmp_path))

    def look() -> list[str]:
        raise RuntimeError("a bug")

    made.look = look  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="a bug"):
        listen(made, tmp_path / "retraining", b"x" * 16, "127.0.0.1", 0, print)


def test_the_token_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "token"
    token = read_token(path)
    assert read_token(path) == token and len(token) >= 40 and stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("short\n")
    with pytest.raises(BadInput, match="at least 16 visible"):
        read_token(path)
    path.write_text("a token with spaces in it")
    with pytest.raises(BadInput, match="visible ASCII characters"):
        read_token(path)
    path.chmod(0o644)
    with pytest.raises(BadInput, match="other users can read the token file.*chmod 600"):
        read_token(path)


def test_a_run_takes_the_corpus_of_the_champion_and_not_that_of_a_rejected_version(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry", "poems")
    assert corpus_of_champion(registry) == ""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("1")
    registry.add_source("/home/ann/poems", same_model=False, **SAID)
    registry.register(
        {"model": tmp_path / "model"}, metrics={}, lineage={"source": "poems"}, decision={}, stage="candidate", **SAID
    )  # fmt: skip
    registry.promote(1, **SAID)
    registry.add_source("/home/ann/poems-in-lower-case", same_model=True, **SAID)
    assert corpus_of_champion(Registry(tmp_path / "registry", "poems")) == "/home/ann/poems"


def test_facts_are_those_of_the_registry(tmp_path: Path) -> None:
    registry = place(tmp_path)
    facts = facts_of(tmp_path)
    assert (facts.model, facts.champion, len(facts.baseline)) == ("poems", 1, 16) and corpus_of_champion(registry) == ""
    registry.add_source("/home/ann/poems", same_model=False, **SAID)
    assert corpus_of_champion(Registry(tmp_path / "registry", "poems")) == "/home/ann/poems"
    registry.start_canary(2, **SAID)
    registry.promote(2, **SAID)
    assert read_facts(registry).champion == 2 and read_facts(registry).baseline == "", "a new champion has no baseline yet"
    assert read_facts(Registry(tmp_path / "registry", "plays")).champion is None


def test_the_window_is_that_of_the_newest_drift_with_this_cause(tmp_path: Path) -> None:
    history = History(tmp_path / "drift")
    (tmp_path / "models").mkdir()
    one: Alert = alert(read_facts(place(tmp_path / "models")))
    digest_of = window_of(history)
    assert digest_of(one.key) == ""
    for day, (action, cause) in enumerate(
        [("drift", "unknown"), ("drift", one.key.cause), ("drift", one.key.cause), ("rising", one.key.cause)]
    ):
        history.add(
            Judged(
                1,
                "d" * 64,
                one.key.baseline + "0" * 48,
                day * 86400.0,
                (day + 1) * 86400.0,
                f"snapshot{day}",
                0.0,
                {},
                action,
                ["test"],
                cause,
                {},
            )
        )
    assert digest_of(one.key) == "snapshot2"
    [path, *_] = tmp_path.glob("drift/*/*.json")
    path.write_text(json.dumps({"form": 99}))
    assert digest_of(one.key) == "", "an unreadable history is no reason to lose an alert"
