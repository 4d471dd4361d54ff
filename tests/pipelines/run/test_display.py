"""The display: a table on a terminal, lines elsewhere; it hears of a run by its events and the steps' logs."""

import io
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from pipelines.run.display import Board, _bar, display_on, duration, table
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.record import Event

SCRIPT = "echo '[ 10 %] epoch 1'; echo 'warning: thin corpus'; echo '[ 42 %] epoch 2'; sleep 0.6"


@pytest.fixture
def ir(house: Any, toys: SimpleNamespace) -> Path:
    def pipeline() -> None:
        first = toys.shell(script=SCRIPT).set_display_name("Train model")
        toys.shell(script="exit 1").set_display_name("Evaluate").after(first)

    path: Path = house.compile(pipeline)
    return path


def shown(house: Any, ir: Path, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None, legacy_windows=False)
    with display_on(console) as listener:
        run_pipeline(ir, {}, store=house.store, runs=house.runs, runner=house.runner(), listeners=[listener])
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_display_without_a_terminal_prints_lines(house: Any, ir: Path) -> None:
    text = shown(house, ir, terminal=False)
    assert "\x1b" not in text and all(line[2] == line[5] == ":" for line in text.splitlines())
    said = [line[10:] for line in text.splitlines()]
    assert said[0].startswith("run 2") and said[0].endswith(" started")
    assert said[1] == "Train model: running" and said.count("warning: Train model: thin corpus") == 1
    assert any(line.startswith("Train model: ran in ") for line in said)
    assert any(line.startswith("Evaluate: failed in ") and "exit status 1" in line for line in said)


def test_a_table_on_a_terminal(house: Any, ir: Path) -> None:
    text = shown(house, ir, terminal=True)
    assert "Train model" in text and " 42 %" in text and "epoch 2" in text and "2 of 2 steps" in text
    assert text.count("warning: Train model: thin corpus") == 1


def test_the_board_reads_logs_as_they_grow(tmp_path: Path) -> None:
    log, board = tmp_path / "log", Board()
    board.handle_event(Event("", "started", "r", detail={"steps": [{"name": "a", "display": "A"}, {"name": "b", "display": "B"}]}))
    board.handle_event(Event("a", "running", detail={"log": str(log)}))
    assert board.read_logs() == []
    with log.open("a") as file:
        file.write("[  7 %] one\n[ 99 %] unfin")
        file.flush()
        assert board.read_logs() == [] and (board.rows["a"].percent, board.rows["a"].text) == (7, "one")
        file.write("ished\x1b[31m\nwarning: w\nnote: n\x1b\n")
        file.flush()
        assert board.read_logs() == ["warning: A: w", "A: n"] and board.rows["a"].text == "unfinished[31m"
    assert board.handle_event(Event("a", "ran", detail={"seconds": 1.0, "warnings": ["w", "late"]})) == ["warning: A: late"]
    console = Console(file=io.StringIO(), width=100)
    console.print(table(board, time.time()))
    assert "1.0 s" in console.file.getvalue()  # type: ignore[attr-defined]


def at_100_columns(board: Board, now: float) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    console.print(table(board, now))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_time_left_is_visible_at_100_columns() -> None:
    board = Board()
    board.handle_event(
        Event("", "started", "r", detail={"steps": [{"name": name, "display": name} for name in ("train-model", "compare-champion")]})
    )
    row = board.rows["train-model"]
    row.state, row.since = "running", 1000.0
    row.progress(40, "resumed from the checkpoint", 1010.0)
    assert row.left(1011.0) is None  # no speed is known yet
    row.progress(60, "epoch 3 of 6 · loss 3.912 · learning rate 0.00184 · 21,000 tokens/s", 1110.0)
    line = at_100_columns(board, 1110.0).splitlines()[0]
    assert " 60 %  1:50  3:20 left · epoch 3" in line and len(line.rstrip()) <= 100


def test_at_100_percent_the_bar_moves_until_the_step_has_ended() -> None:
    board = Board()
    board.handle_event(Event("", "started", "r", detail={"steps": [{"name": "train-model", "display": "train-model"}]}))
    row = board.rows["train-model"]
    row.state, row.since, row.first = "running", 1000.0, (1, 1000.0)
    row.progress(100, "exporting", 1060.0)
    early, later = (at_100_columns(board, now).splitlines()[0] for now in (1060.3, 1070.9))
    assert "100 %" not in early and "left" not in early and "exporting" in early and "1:00" in early and "1:11" in later
    bars = [_bar(row, now)[0] for now in (1060.3, 1060.9)]
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="truecolor")
    assert len({str(console.render_lines(bar)) for bar in bars}) == 2


def test_durations() -> None:
    assert [duration(seconds) for seconds in (None, 4.24, 187, 3765)] == ["", "4.2 s", "3:07", "1:02:45"]


def test_events_are_one_json_object_per_line(house: Any, ir: Path) -> None:
    house.run(ir)
    events = [json.loads(line) for line in (house.runs / "latest" / "events.jsonl").read_text().splitlines()]
    assert [(event["task"], event["state"]) for event in events] == [
        ("", "started"), ("shell", "running"), ("shell", "ran"), ("shell-2", "running"), ("shell-2", "failed"), ("", "failed"),
    ]  # fmt: skip
    assert events[2]["detail"]["warnings"] == ["thin corpus"] and (house.runs / "latest").is_symlink()
