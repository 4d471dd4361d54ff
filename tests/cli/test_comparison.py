import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.comparison import show_comparison
from robo_poet.report.comparison import compare
from robo_poet.report.measured import Measured

A = Measured(
    "poems/1",
    model="poems",
    changed={},
    settings={"train": {"epochs": 3}},
    metrics={"bits_per_byte": 2.5, "slices_worse": 1},
    intervals={"bits_per_byte": [2.4, 2.6]},
    gates=[{"metric": "bleu", "bound": ">= 0.1", "value": 0.2, "verdict": "pass"}],
    samples=[{"prompt": "O [b]\x1b[31m", "text": "\n\n".join(f"line {number}" for number in range(20))}],
    digests={"corpus": "c", "scrubbed": "s"},
)
B = replace(A, name="odes/2", settings={"train": {"epochs": 9}}, metrics={"bits_per_byte": 2.0, "slices_worse": 2}, gates=())


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Print a comparison on a terminal of 100 columns, or as given, and return the text."""

    def show(a: Measured, b: Measured, columns: int = 100) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        show_comparison(compare(a, b), None, as_json=False)
        return capsys.readouterr().out

    return show


def test_all_parts_are_printed_side_by_side(printed: Callable[..., str]) -> None:
    text = printed(A, replace(B, intervals={"bits_per_byte": [1.9, 2.1]}))
    expected = [
        "A: poems/1",
        "B: odes/2",
        "train.epochs",
        "2.500 (2.400 to 2.600)",
        "-0.500",
        "own champion",
        "pass: 0.2000 >= 0.1",
        "no such gate",
    ]
    assert [word for word in expected if word not in text] == []
    assert "O [b][31m" in text and "\x1b" not in text  # control characters of a model never reach the terminal
    assert "line 11" in text and "line 12" not in text and "…" in text
    assert "better" in text
    assert all(len(line) <= 80 for line in printed(A, B, 80).splitlines())


def test_different_texts_are_a_note(printed: Callable[..., str]) -> None:
    text = printed(A, replace(B, digests={"corpus": "d"}))
    assert "note: Measured on different texts" in text and "better" not in text


def test_nothing_known_is_printed(printed: Callable[..., str]) -> None:
    assert "the settings are not known" in printed(Measured("a"), Measured("b"))
    assert "1 setting is equal" in printed(A, A)


def test_json_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(compare(A, B), None, as_json=True)
    assert json.loads(capsys.readouterr().out)["names"] == ["poems/1", "odes/2"]
    show_comparison(compare(A, B), tmp_path / "new" / "page.html", as_json=False)
    assert (tmp_path / "new" / "page.html").read_text().startswith("<!doctype html>")
    assert "comparison of poems/1 and odes/2: " in capsys.readouterr().out
