"""The step on a real registry and a real request log."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from components.collect_window.__main__ import main
from monitoring.drift.traffic import Traffic, read_traffic
from robo_poet.registry.registry import Registry
from tests.monitoring.logged import FIRST, Sent, write_log
from tests.robo_poet.registry.released import released

MODEL_SERVER = ["--model-server", '{"model_server": "http://127.0.0.1:1"}']


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The champion serves since the first day."""

    class Past(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return FIRST + timedelta(hours=5)

    with monkeypatch.context() as past:
        past.setattr("robo_poet.registry.log.entry.datetime", Past)
        return released(tmp_path)


def collect(store: Registry, folder: Path, day: int) -> tuple[Traffic, int]:
    window = str((FIRST + timedelta(days=day)).date())
    words = [
        "--registry",
        str(folder / "registry"),
        "--model-name",
        store.model,
        "--requests",
        str(folder / "requests"),
        "--window",
        window,
        *MODEL_SERVER,
    ]
    settings = ["--settings", json.dumps({"baseline_windows": 2, "windows": 3, "min_users": 5})]
    assert main([*words, *settings, "--traffic", str(folder / "traffic"), "--executor-output", str(folder / "output")]) == 0
    return read_traffic(folder / "traffic")[0], json.loads((folder / "output").read_text())["parameterValues"]["users"]


def test_the_window_those_before_it_and_the_first_ones_with_users(store: Registry, tmp_path: Path) -> None:
    digest = store.released().digest
    write_log(tmp_path / "requests", (Sent(f"u{k}", 4.0, day=day + 0.5, digest=digest) for day in (0, 1, 3, 5, 6) for k in range(day + 1)))
    traffic, users = collect(store, tmp_path, 6)
    starts = [(window.start - FIRST.timestamp()) / 86_400 for window in (*traffic.windows, *traffic.reference)]
    assert starts == [4, 5, 6, 1, 3]  # day 0 is the day of the promotion, day 2 has no users
    assert users == len(traffic.windows[-1].users) == 7 and (traffic.version, traffic.digest, traffic.baseline) == (1, digest, None)
    traffic, users = collect(store, tmp_path, 2)
    assert users == 0 and len(traffic.windows) == 2 and not traffic.doubt  # day 0 is left out


def test_a_window_before_the_service_of_the_champion_has_a_reason(store: Registry, tmp_path: Path) -> None:
    (tmp_path / "requests").mkdir()
    traffic, users = collect(store, tmp_path, 0)
    assert (traffic.doubt, users) == ("the first complete window of version 1 as champion is 2026-03-03", 0)


def test_a_log_of_another_form_is_one_line(store: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_log(tmp_path / "requests", [Sent("u", 4.0, day=2.5, digest=store.released().digest)])
    [part] = (tmp_path / "requests").rglob("*.parquet")
    part.write_text("not Parquet")
    words = ["--registry", str(tmp_path / "registry"), "--model-name", "poems", "--requests", str(tmp_path / "requests")]
    assert main([*words, "--window", "2026-03-04", *MODEL_SERVER, "--traffic", str(tmp_path / "traffic")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "traffic").exists()


class Later(datetime):
    """The clock an hour after the window of day 3."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return FIRST + timedelta(days=4, hours=1)


def test_held_out_text_is_scored_for_the_newest_window_only(
    store: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(tmp_path / "requests", [Sent("u", 4.0, day=3.5, digest=store.released().digest)])
    traffic, _ = collect(store, tmp_path, 3)
    assert traffic.heldout.doubt.startswith("it is scored for the newest window only")
    monkeypatch.setattr("components.collect_window.__main__.datetime", Later)
    traffic, _ = collect(store, tmp_path, 3)
    assert traffic.heldout.nats is None and "the version has no file card.json" in traffic.heldout.doubt
    assert "held-out text is not scored: poems/1: the version has no file card.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("connection", "doubt"),
    [
        (
            {"model_server": "https://model-server:8501", "model_server_ca": "/missing/ca.pem"},
            "the certificate or the key cannot be loaded",
        ),
        ({"model_server": "http://model-server.serving:8501"}, "texts would be sent without encryption"),
    ],
)
def test_a_connection_that_cannot_be_used_is_a_doubt_and_the_window_is_collected(
    store: Registry, tmp_path: Path, connection: dict[str, str], doubt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.collect_window.__main__.datetime", Later)
    write_log(tmp_path / "requests", [Sent("u", 4.0, day=3.5, digest=store.released().digest)])
    words = ["--registry", str(tmp_path / "registry"), "--model-name", "poems", "--requests", str(tmp_path / "requests")]
    words += ["--window", str((FIRST + timedelta(days=3)).date()), "--model-server", json.dumps(connection)]
    assert main([*words, "--traffic", str(tmp_path / "traffic"), "--executor-output", str(tmp_path / "output")]) == 0
    traffic = read_traffic(tmp_path / "traffic")[0]
    assert len(traffic.windows[-1].users) == 1 and traffic.heldout.nats is None and doubt in traffic.heldout.doubt
