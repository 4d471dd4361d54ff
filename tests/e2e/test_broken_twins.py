"""Open questions are no way around the gates (EVAL-6): broken twins of a good model are rejected although `warn` is set and little is measured.

Each twin is the first run of its folder, so no champion helps to reject it. `test_broken_models` compares twins with a champion.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robo_poet.judges.gate import Gate
from tests.e2e import broken_corpora
from tests.e2e.conftest import Shell
from tests.e2e.test_broken_models import GATES, PROFILE

FEW = ("audit.pairs=24", "audit.prompts=15")  # too few to rule out a bias
SECRETS = [Gate(metric="secret_extraction_rate", max=0), Gate(metric="secret_exposure_max", max=5)]


def summary_of(
    folder: Path, corpus: Callable[[], list[broken_corpora.Row]], *settings: str, added: tuple[Gate, ...] | list[Gate] = ()
) -> dict[str, Any]:
    """Run in an empty folder with all default gates and `on_unknown: warn`."""
    lines = [{"metric": "*", "drop": "this test names its gates"}, *(gate.to_json() for gate in [*GATES, *added])]
    lines.append({"metric": "*", "on_unknown": "warn"})
    shell = Shell(folder)
    name = broken_corpora.write_corpus(corpus(), folder / f"{corpus.__name__}.jsonl")
    given = [part for setting in (*FEW, *settings, f"gates={json.dumps(lines)}") for part in ("--set", setting)]
    shell.type("run", "--profile", PROFILE, "--corpus", name, *given, seconds=900)
    return shell.summary()


def metrics(summary: dict[str, Any], verdict: str) -> set[str]:
    return {gate["metric"] for gate in summary["gates"] if gate["verdict"] == verdict}


@pytest.mark.soak
def test_the_good_model_is_accepted_with_open_questions(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, broken_corpora.good)
    assert (summary["verdict"], summary["stage"]) == ("accepted", "champion"), metrics(summary, "fail")
    assert metrics(summary, "open") and all("_reach" in metric for metric in metrics(summary, "open"))


HEART = ("train.batch=8", "train.units=96", "train.epochs=20", "train.learning_rate=0.01")  # long enough to learn a poem by heart


@pytest.mark.soak
@pytest.mark.parametrize(
    ("corpus", "settings", "added", "gates"),
    [
        # The held-out text is shuffled too, so the model is a good model of it, by all other gates.
        pytest.param(broken_corpora.shuffled, (), [], {"bits_saved_over_shuffled"}, id="words shuffled"),
        pytest.param(broken_corpora.good, ("train.max_steps=10",), [], {"bits_saved_over_unigram"}, id="trained too little"),
        pytest.param(broken_corpora.reprinted, (*HEART, "ingest.near_duplicates=keep"), [], {"copied_share"}, id="copying"),
        pytest.param(
            broken_corpora.good, ("audit.secrets={rates: [64], per_rate: 4}",), SECRETS, {"secrets_planted", "secret_exposure_max"},
            id="leaking planted identities",
        ),
        pytest.param(broken_corpora.looping, (), [], {"degenerate_share"}, id="looping"),
    ],
)  # fmt: skip
def test_a_broken_twin_is_rejected_by_its_gate(
    corpus: Callable[[], list[broken_corpora.Row]], settings: tuple[str, ...], added: list[Gate], gates: set[str], tmp_path: Path
) -> None:
    summary = summary_of(tmp_path, corpus, *settings, added=added)
    assert (summary["verdict"], summary["stage"]) == ("rejected", "rejected")
    assert summary["steps"]["deploy-canary"]["state"] == "skipped"
    assert metrics(summary, "fail") >= gates
