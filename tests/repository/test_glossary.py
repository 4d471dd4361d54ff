"""docs/glossary.md explains every metric under the label that terminal, card and registry print."""

from pathlib import Path

import pytest

from robo_poet.judges.metrics import METRICS
from robo_poet.report.gate_rows import FAIL_UNKNOWN, PASS_BY_VALUE, PASS_UNKNOWN

GLOSSARY = (Path(__file__).resolve().parents[2] / "docs" / "glossary.md").read_text("utf-8")
ROWS = [line for line in GLOSSARY.splitlines() if line.startswith("|")]
# Words that labels used before, and that mean something else to a reader of the field.
REPLACED = ("people", "secret", "told apart", "proven", "ruled out", "in a row", "likeness", "of its own", "various", "small model")


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_is_explained_under_its_label_and_id(metric: str) -> None:
    assert any(METRICS[metric].label in row and f"`{metric}`" in row for row in ROWS)


@pytest.mark.parametrize("metric", METRICS)
def test_a_label_uses_the_terms_of_the_field(metric: str) -> None:
    assert not [word for word in REPLACED if word in METRICS[metric].label.lower()]


@pytest.mark.parametrize("verdict", [PASS_BY_VALUE, PASS_UNKNOWN, FAIL_UNKNOWN])
def test_every_verdict_of_a_gate_is_explained(verdict: str) -> None:
    assert verdict in GLOSSARY
