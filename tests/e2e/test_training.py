"""From the bundled corpus to a registered model and back out as text: the whole promise, on the `ci` profile."""

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import FirstRun, Shell

STEPS = {
    "ingest", "validate-data", "scrub-pii", "train-tokenizer", "train-model", "evaluate-model", "audit-model", "measure-text",
    "compare-champion", "slice-metrics", "gate-model", "write-report", "register-model", "deploy-canary",
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(first_run: FirstRun) -> Shell:
    """A folder in which the `ci` profile ran once."""
    return first_run.shell


def test_a_first_run_registers_a_champion(trained: Shell, first_run: FirstRun) -> None:
    assert "ci-shakespeare/1 is champion" in first_run.printed and "robo-poet generate" in first_run.printed
    summary = trained.summary()
    assert summary["status"] == "succeeded" and summary["version"] == 1 and summary["stage"] == "champion"
    assert trained.states() == dict.fromkeys(STEPS, "ran")
    assert {"perplexity", "bits_per_byte", "unigram_bits_per_byte", "token_accuracy", "top5_accuracy", "bleu"} <= set(summary["metrics"])
    assert {"distinct_2", "copied_share", "toxic_share", "bias_likelihood_excess", "slices"} <= set(summary["metrics"])
    assert all(set(gate) >= {"metric", "value", "bound", "verdict"} for gate in summary["gates"]) and len(summary["gates"]) == 5
    card = json.loads(trained.type("registry", "card", "1", "--json"))
    assert (card["verdict"], card["stage"], card["overrides"], card["champion"]["state"]) == ("accepted", "champion", [], "none")
    assert card["metrics"] == summary["metrics"] and card["gates"] == summary["gates"]
    html = (trained.folder / "runs" / "latest" / "report.html").read_text()
    assert "accepted" in html and "<svg" in html and re.search(r"Version 1, \d{4}-\d\d-\d\d, of run ", html)
    assert f"of run {(trained.folder / 'runs' / 'latest').resolve().name}." in html
    for step in STEPS:
        assert (trained.folder / "runs" / "latest" / "logs" / f"{step}.log").exists()


def test_tensorboard_finds_the_training_in_the_run(trained: Shell) -> None:
    logs = trained.folder / "runs" / "latest" / "logs" / "training"
    assert not logs.is_symlink() and {"embedding.tsv", "projector_config.pbtxt", "tokens.tsv"} < {path.name for path in logs.iterdir()}
    assert next(logs.glob("events.out.tfevents.*")).stat().st_size > 10_000


def test_lineage_leads_from_the_version_back_to_the_corpus(trained: Shell) -> None:
    outputs = trained.summary()["outputs"]
    version = json.loads(trained.type("registry", "show", "1", "--json"))
    inputs = version["lineage"]["inputs"]
    assert inputs["corpus"] == outputs["ingest"]["parameters"]["corpus_digest"]
    assert inputs["scrubbed"] == outputs["scrub-pii"]["parameters"]["scrubbed_digest"]
    for name, step in (("tokenizer", "train-tokenizer"), ("model", "train-model"), ("evaluation", "evaluate-model")):
        assert inputs[name] == outputs[step]["parameters"][f"{name}_digest"]
    assert version["lineage"]["settings"]["seed"] == 42 and set(version["lineage"]["code"]) == {s.replace("-", "_") for s in STEPS}


def test_the_same_command_again_finds_nothing_to_do(trained: Shell) -> None:
    """But once to compare with the champion and its corpus: there was none before."""
    trained.type("run", "--profile", "ci")
    compared = {
        "validate-data",
        "compare-champion",
        "measure-text",
        "slice-metrics",
        "gate-model",
        "write-report",
        "register-model",
        "deploy-canary",
    }
    assert {name for name, state in trained.states().items() if state == "ran"} == compared
    difference = next(gate for gate in trained.summary()["gates"] if gate["against"])
    assert (difference["value"], difference["verdict"]) == (0, "pass"), "it is the champion itself"
    trained.type("run", "--profile", "ci")
    states = trained.states()
    assert {name for name, state in states.items() if state == "ran"} == {"register-model", "deploy-canary"}
    assert {states[name] for name in STEPS - {"register-model", "deploy-canary"}} == {"cached"}
    assert trained.summary()["version"] == 1
    assert json.loads(trained.type("registry", "list", "--json"))[-1]["version"] == 1


def test_explain_says_what_a_changed_setting_would_rerun(trained: Shell) -> None:
    said = trained.type("run", "--profile", "ci", "--explain", "--set", "train.learning_rate=0.02")
    lines = {line[:22].strip(): line[22:].strip() for line in said.splitlines()}
    assert lines["train-tokenizer"] == "cached"
    assert lines["train-model"] == "would run: parameter settings.learning_rate 0.01 → 0.02"
    assert lines["evaluate-model"].startswith("would run: waits for train-model")


@pytest.mark.soak
def test_killed_in_training_it_goes_on_from_the_checkpoint(trained: Shell) -> None:
    """A second model, of another learning rate: also shows that only training and what follows runs, and that it becomes canary."""
    changed = ("run", "--profile", "ci", "--set", "train.learning_rate=0.02")
    earlier = checkpoints_in(trained)
    process = trained.start(*changed)
    log = trained.folder / "runs" / "latest" / "logs" / "train-model.log"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and checkpoints_in(trained) == earlier:
        time.sleep(0.1)
    assert checkpoints_in(trained) > earlier
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not trained_processes(trained.folder), "a step outlived its executor"
    trained.type(*changed)
    states = trained.states()
    assert {name for name, state in states.items() if state == "cached"} == {"ingest", "validate-data", "scrub-pii", "train-tokenizer"}
    assert "resuming from the checkpoint of step" in log.read_text()
    summary = trained.summary()
    assert (summary["version"], summary["stage"]) == (2, "canary")


def checkpoints_in(trained: Shell) -> set[Path]:
    return set((trained.folder / ".store" / "work").glob("train_model-*/training-*/last.npz"))


def trained_processes(folder: Path) -> list[str]:
    """Command lines of processes that work below `folder`, after a moment to end."""
    for _ in range(50):
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and int(entry.name) != os.getpid() and (entry / "cwd").readlink().is_relative_to(folder):
                    found.append((entry / "cmdline").read_text())
            except OSError:
                continue
        if not found:
            return []
        time.sleep(0.1)
    return found


@pytest.mark.soak
def test_killed_or_not_the_same_seed_gives_the_same_artifacts(trained: Shell, tmp_path: Path) -> None:
    """The version that was killed in training, once more from nothing and in one go: every digest is the same."""
    interrupted = trained.summary()["outputs"]
    other = Shell(tmp_path)
    shutil.copytree(trained.folder / "registry", tmp_path / "registry")  # to be compared with the same champion
    other.type("run", "--profile", "ci", "--set", "train.learning_rate=0.02")
    digests = [
        {name: {key: value for key, value in out["parameters"].items() if key.endswith("digest")} for name, out in each.items()}
        for each in (interrupted, other.summary()["outputs"])
    ]
    assert digests[0] == digests[1]


STRICT = ("--set", "gates=[{metric: '*', drop: test}, {metric: perplexity, max: 2}, {metric: bleu, min: 0.9}]")


def test_a_model_that_fails_a_gate_is_rejected_and_not_deployed(first_run: FirstRun, tmp_path: Path) -> None:
    """With the steps of the first run from its cache, and a registry without versions."""
    person = Shell(tmp_path)
    shutil.copytree(first_run.copy / ".store", tmp_path / ".store", symlinks=True)
    printed = person.type("run", "--profile", "ci", *STRICT)
    summary, states = person.summary(), person.states()
    read_the_registry = {"validate-data", "compare-champion", "register-model"}
    assert {name for name, state in states.items() if state == "ran"} == {"gate-model", "write-report"} | read_the_registry
    assert summary["status"] == "succeeded" and (summary["version"], summary["stage"]) == (1, "rejected")
    assert states["deploy-canary"] == "skipped"
    assert "above 2; bleu is" in printed
    [listed] = json.loads(person.type("registry", "list", "--json"))
    assert listed["stage"] == "rejected" and "above 2" in listed["why"]
    assert "no version is the champion" in person.type("generate", "The king", status=2)


@pytest.mark.soak  # 21 s; tests/robo_poet/registry/versions/test_decisions.py has the rules
def test_a_champion_that_fails_other_gates_stays_and_the_decision_is_shown(trained: Shell) -> None:
    trained.type("run", "--profile", "ci", *STRICT)
    assert (trained.summary()["version"], trained.summary()["stage"]) == (1, "champion")
    shown = trained.type("registry", "show", "1")
    assert "champion, contested" in shown and "rejects it (perplexity is" in shown
    trained.type("run", "--profile", "ci")
    assert "contested" not in trained.type("registry", "show", "1")
    judge = ("registry", "judge-again", "1", "--profile", "ci", "--why", "once more")
    assert "shakespeare/1 is champion" in trained.type(*judge)
    assert "the latest decision is the same" in trained.type(*judge)
    verdicts = [row["verdict"] for row in json.loads(trained.type("registry", "show", "1", "--json"))["decisions"]]
    assert verdicts[0] == verdicts[-1] == "accepted" and "rejected" in verdicts


def test_the_champion_writes(trained: Shell) -> None:
    options = ("generate", "The king and all his men", "--seed", "7", "--max-length", "30", "--temperature", "0.5")
    first, second = (trained.type(*options).rpartition("version 1")[0] for _ in range(2))  # behind it stands how fast it was
    assert first.startswith("The king and all his men") and len(first) > 30
    assert second == first
    assert "error: --temperature: 9.0 is out of range" in trained.type("generate", "The king", "--temperature", "9", status=2)
    assert "no version 99" in trained.type("generate", "The king and all", "--version", "99", status=2).lower()


def test_a_damaged_version_is_not_served(trained: Shell) -> None:
    version = json.loads(trained.type("registry", "show", "1", "--json"))
    tokenizer = trained.folder / version["folder"] / "tokenizer" / "tokenizer.json"
    whole = tokenizer.read_bytes()
    try:
        tokenizer.write_bytes(whole[:-1] + b" ")
        assert "tokenizer.json" in trained.type("generate", "The king and all his men", status=2)
        assert "tokenizer.json" in trained.type("registry", "verify", status=2)
    finally:
        tokenizer.write_bytes(whole)
    trained.type("registry", "verify")


def test_gc_says_what_would_go_and_then_frees_it(trained: Shell) -> None:
    yesterday = time.time() - 86_400
    for entry in (trained.folder / ".store" / "done").iterdir():
        os.utime(entry, (yesterday, yesterday))
    before = set((trained.folder / ".store" / "done").iterdir())
    assert "would free" in trained.type("gc", "--keep-runs", "1")
    assert set((trained.folder / ".store" / "done").iterdir()) == before
    assert "freed" in trained.type("gc", "--keep-runs", "1", "--yes")
    after = set((trained.folder / ".store" / "done").iterdir())
    assert after < before and (trained.folder / "runs" / "latest").exists()
    trained.type("registry", "verify")
