"""A rejected run names one remedy, which is typed as printed: the verdict or the amount changes (EVAL-6).

Covers: pipelines/profile/remedies.py, robo_poet/judges/remedies.py, with real runs. `tests/pipelines/profile/test_remedies.py` covers every
rule with simulated measurements. Not here, because a run of a minute does not have these rejections: more held-out text, more continuations,
smaller steps, fewer epochs and stricter scrubbing. More epochs are the same rule as more steps.
"""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Shell

SMALL = ("train.max_steps=20", "train.units=16")
PRINTED = re.compile(r"^next +run the same command again with (.+?)   # with make: ARGS=(.+)$", re.M)


@dataclass(frozen=True)
class Case:
    """A rejection.

    Args:
        gate: the only gate of the run, as JSON.
        before: settings before the remedy.
        remedy: the remedy that must be printed; NUMBER stands for a number that depends on the measurement, and so on the processor.
        passes: the same gate passes with the remedy. Otherwise the value comes nearer to the bound, or the counted amount grows.
    """

    gate: dict[str, Any]
    before: tuple[str, ...]
    remedy: str
    passes: bool = False


CASES = {
    "longer training, steps": Case({"metric": "perplexity", "max": 2}, SMALL, "--set train.max_steps=40"),
    "smaller model": Case({"metric": "edge_megabytes", "max": 0.01}, SMALL, "--set train.units=8"),
    "no canary strings": Case(
        {"metric": "secrets_planted", "max": 0}, (*SMALL, "audit.secrets.rates=[1, 4]"), "--set 'audit.secrets.rates=[]'", passes=True
    ),
    "canary strings": Case(
        {"metric": "secret_exposure_max", "max": 100}, SMALL, "--set 'audit.secrets.rates=[1, 4, 16]'", passes=True
    ),
    "more pairs": Case(
        {"metric": "bias_likelihood_reach", "max": 0.2, "on_unknown": "reject"}, ("train.max_steps=100", "train.units=16", "audit.pairs=20"),
        "--set audit.pairs=NUMBER",
    ),
    "more prompts": Case(
        {"metric": "bias_sentiment_reach", "max": 0.5, "on_unknown": "reject"}, SMALL, "--set audit.prompts=180"
    ),
    "an audit in English": Case(
        {"metric": "bias_sentiment_reach", "max": 2, "on_unknown": "reject"}, (*SMALL, "audit.languages=[es]"),
        "--set 'audit.languages=[en, es]'",
    ),
    "more slices": Case({"metric": "slices", "min": 30}, (*SMALL, "slices.max_values=2"), "--set slices.max_values=4"),
    "a gate that cannot judge": Case(
        {"metric": "bits_per_byte", "against": "champion", "margin": 0.2, "slice": "author=nobody", "on_unknown": "reject"}, SMALL,
        "--set 'gates=[{metric: bits_per_byte, slice: \"author=nobody\", against: champion, margin: 0.2, on_unknown: pass}]'", passes=True,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small champion, so that all runs share the results of its steps."""
    home = tmp_path_factory.mktemp("remedies")
    settings = (*SMALL, "gates=[{metric: '*', drop: test}, {metric: perplexity, max: 1e6}]")
    Shell(home).type("run", "--profile", "ci", *(word for setting in settings for word in ("--set", setting)))
    return home


def _judge(shell: Shell, words: list[str]) -> tuple[dict[str, Any], str]:
    """Run, and return the gate and what was printed."""
    printed = shell.type(*words, seconds=900)
    (gate,) = shell.summary()["gates"]
    return gate, printed


@pytest.mark.soak
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_printed_remedy_changes_the_verdict_or_the_amount(case: Case, folder: Path) -> None:
    shell = Shell(folder)
    gates = f"gates={json.dumps([{'metric': '*', 'drop': 'test'}, case.gate])}"
    words = ["run", "--profile", "ci"]
    words += [word for setting in (*case.before, gates) for word in ("--set", setting)]
    old, printed = _judge(shell, words)
    assert old["verdict"] == "fail", old
    found = PRINTED.search(printed)
    assert found, printed
    assert re.fullmatch(re.escape(case.remedy).replace("NUMBER", r"\d+"), old["remedy"]), old
    assert found[1] == old["remedy"] and shlex.split(shlex.split(found[2])[0])[-2:] == shlex.split(old["remedy"])
    new, printed = _judge(shell, [*words, *shlex.split(found[1])])
    nearer = old["value"] is not None and new["value"] is not None and _missed(case.gate, new) < _missed(case.gate, old)
    more = (new["there"] or 0) > (old["there"] or 0)
    assert new["verdict"] == "pass" if case.passes else new["verdict"] == "pass" or nearer or more, (old, new)


def _missed(gate: dict[str, Any], judged: dict[str, Any]) -> float:
    """Return how far a value is outside the bound of the gate."""
    return max(judged["value"] - gate["max"] if "max" in gate else gate["min"] - judged["value"], 0.0)
