"""docs/reference/artifacts.md gives the top-level keys of every JSON artifact; a real run writes exactly these."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import FirstRun

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "artifacts.md"
# artifact, file within it → the forms that the page gives; an artifact may have several
ROW = re.compile(r"^\| `(\w+)`(?:, (?:`([\w./]+)`|JSON lines))? \| `\w+` \| (.+) \|$", re.MULTILINE)


def documented() -> dict[tuple[str, str], list[set[str]]]:
    """Return the sets of keys that the page allows for each artifact."""
    table = PAGE.read_text("utf-8").partition("## JSON")[2].partition("###")[0]
    return {
        (name, file): [set(json.loads(form)) for form in re.findall(r"`(\{.*?\})`(?=[;. |]|$)", cell)]
        for name, file, cell in ROW.findall(table)
    }


def written(first_run: FirstRun, artifact: str, file: str) -> list[dict[str, Any]]:
    """Return the JSON objects of an artifact, of all runs in the folder."""
    paths = list((first_run.shell.folder / ".store" / "done").glob(f"*/artifacts/{artifact}"))
    assert paths
    texts = [(path / file if file else path).read_text("utf-8") for path in paths]
    return [json.loads(content) for text in texts for content in (text.splitlines() if artifact == "history" else [text])]


@pytest.mark.parametrize(("artifact", "file"), documented(), ids=lambda value: value.replace("/", "-"))
def test_an_artifact_has_the_documented_keys(first_run: FirstRun, artifact: str, file: str) -> None:
    forms = documented()[artifact, file]
    if artifact == "history":  # a point at a validation has four keys more, and one more if the learning rate was lowered
        validation = {f"validation_{name}" for name in ("cross_entropy", "perplexity", "accuracy", "top5_accuracy")}
        forms = [*forms, forms[0] | validation, forms[0] | validation | {"next_learning_rate"}]
    assert all(set(content) in forms for content in written(first_run, artifact, file))


def test_every_json_artifact_is_documented() -> None:
    names = {artifact for artifact, _ in documented()}
    assert names == {
        "statistics", "tokenizer", "model", "history", "evaluation", "model_audit", "text_metrics", "comparison", "slices", "decision", "card",
        "recall", "drift", "prompt_skew",
    }  # fmt: skip
