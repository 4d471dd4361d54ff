import json
import re
from pathlib import Path

import pytest

from components.write_report.__main__ import main

HOSTILE = "<script>alert('x')</script> & \"so\""
STATISTICS = {
    "documents": 3, "megabytes": 1.5, "anomalies": [],
    "splits": {"train": {"documents": 1, "megabytes": 1.0, "groups": 1}, "test": {"documents": 2, "megabytes": 0.5, "groups": 1}},
    "checks": [{"name": "size", "value": 1.5, "low": 1.0, "high": None, "verdict": "ok"}],
    "sources": {HOSTILE: 3}, "length_histogram": {"edges": [0, 10, 20], "counts": [1, 2]},
}  # fmt: skip
HISTORY = [
    {"step": 10, "epoch": 0.5, "tokens": 100, "loss": 4.0, "learning_rate": 1e-3},
    {"step": 20, "epoch": 1.0, "tokens": 200, "loss": 3.0, "learning_rate": 1e-3, "validation_cross_entropy": 3.5, "validation_perplexity": 33.1},
]  # fmt: skip
EVALUATION = {
    "metrics": {"perplexity": 33.1, "bits_per_byte": 2.5}, "bands": {"perplexity": "good"}, "documents": 2, "tokens": 90,
    "samples": [{"prompt": HOSTILE, "text": "\nand so to bed"}],
}  # fmt: skip
DECISION = {
    "verdict": "rejected", "reason": "perplexity is 33.1, above 20; bleu was not measured",
    "gates": [
        {"metric": "perplexity", "value": 33.1, "bound": "<= 20", "verdict": "fail", "reason": "perplexity is 33.1, above 20"},
        {"metric": "bleu", "value": None, "bound": ">= 0.1", "verdict": "fail", "reason": "bleu was not measured"},
    ],
}  # fmt: skip


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    inputs = {"statistics": STATISTICS, "evaluation": EVALUATION, "decision": DECISION}
    for name, value in inputs.items():
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "history").write_text("".join(json.dumps(point) + "\n" for point in HISTORY))
    names = [*inputs, "history", "report", "summary"]
    lineage = json.dumps({"source": HOSTILE, "settings": {"train": {"epochs": 3}}, "code": {"ingest": "0a1b"}})
    return ["--lineage", lineage] + [part for name in names for part in (f"--{name}", str(tmp_path / name))]


def test_the_report_holds_verdict_metrics_samples_curve_and_corpus(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    html = (tmp_path / "report").read_text()
    for heading in ("Verdict", "Metrics", "What it writes", "Training", "Corpus"):
        assert f"{heading}</h2>" in html
    assert "perplexity is 33.1, above 20" in html and "not measured" in html and "and so to bed" in html
    assert html.count("<svg") >= 2
    assert "train.epochs" in html and "0a1b" in html


def test_nothing_from_the_data_becomes_markup_and_nothing_is_loaded_from_elsewhere(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    html = (tmp_path / "report").read_text()
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not re.search(r'(src|href)="(?!#)', html.replace("xlink:href", "href"))


def test_the_same_inputs_give_the_same_page(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    first = (tmp_path / "report").read_bytes()
    assert main(arguments) == 0
    assert (tmp_path / "report").read_bytes() == first


def test_the_markdown_says_the_verdict_first(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    lines = (tmp_path / "summary").read_text().splitlines()
    assert lines[0] == "# Rejected"
    assert "| perplexity | 33.1 | <= 20 | fail |" in lines


def test_an_input_that_is_not_json_is_one_line(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "decision").write_text("{")
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'decision'}: not JSON")
    assert not (tmp_path / "report").exists()
