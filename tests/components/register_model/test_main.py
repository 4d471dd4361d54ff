import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.register_model.__main__ import FILES, main
from robo_poet.digest import digest_json, digest_path
from robo_poet.registry.registry import Registry

ACCEPTED = {"verdict": "accepted", "gates": [{"metric": "perplexity", "verdict": "pass"}], "reason": ""}
REJECTED = {"verdict": "rejected", "gates": [{"metric": "perplexity", "verdict": "fail"}], "reason": "perplexity is 120, above 100"}


def arguments(
    tmp_path: Path,
    decision: Any = ACCEPTED,
    model: str = "weights",
    lineage: str = '{"seed": 42}',
    source: str = "",
    same_model: str = "0",
) -> list[str]:
    """Write the artifacts of a registration and return its command line."""
    for folder in ("model", "tokenizer"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "model" / "saved_model.pb").write_text(model)
    (tmp_path / "tokenizer" / "tokenizer.json").write_text("{}")
    (tmp_path / "evaluation").write_text("{}")
    (tmp_path / "card").write_text("{}")
    measured = {"metrics": {"perplexity": 40.0, "bleu": None}, "intervals": {"perplexity": [38.0, 42.0]}}
    (tmp_path / "decision").write_text(decision if isinstance(decision, str) else json.dumps({**measured, **decision}))
    (tmp_path / "statistics").write_text("{}")
    (tmp_path / "report").write_text("<html></html>")
    parts = [
        "--registry",
        str(tmp_path / "registry"),
        "--model-name",
        "poems",
        "--source",
        source,
        "--same-model",
        same_model,
        "--lineage",
        lineage,
        "--who",
        "ada",
    ]
    parts += ["--corpus-digest", "c" * 64, "--scrubbed-digest", "5" * 64]
    for name in FILES.values():
        parts += [f"--{name}", str(tmp_path / name), f"--{name}-digest", digest_path(tmp_path / name)]
    return [*parts, "--executor-output", str(tmp_path / "executor.json")]


def results(tmp_path: Path) -> dict[str, Any]:
    return dict(json.loads((tmp_path / "executor.json").read_text())["parameterValues"])


def test_an_accepted_model_is_a_candidate_with_its_lineage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path)) == 0
    version = Registry(tmp_path / "registry", "poems").verify()[0]
    assert results(tmp_path) == {"version": 1, "stage": "candidate", "version_digest": version.digest}
    assert version.why == "passed all gates: perplexity"
    manifest = version.manifest()
    assert set(manifest.files) == {"model/saved_model.pb", "tokenizer/tokenizer.json", *(name for name in FILES if "." in name)}
    assert manifest.metrics == {"perplexity": 40, "bleu": None}
    inputs = {name: digest_path(tmp_path / name) for name in FILES.values()}
    assert manifest.lineage == {"seed": 42, "inputs": {**inputs, "corpus": "c" * 64, "scrubbed": "5" * 64}}
    assert capsys.readouterr().err == "[100 %] registered as poems/1 (candidate: passed all gates: perplexity)\n"


def test_a_rejected_model_is_registered_as_rejected_with_the_reason(tmp_path: Path) -> None:
    assert main(arguments(tmp_path, REJECTED)) == 0
    version = Registry(tmp_path / "registry", "poems").version(1)
    assert (results(tmp_path)["stage"], version.stage, version.why) == ("rejected", "rejected", "perplexity is 120, above 100")


def test_the_same_model_is_the_same_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path)) == 0
    first = results(tmp_path)
    Registry(tmp_path / "registry", "poems").promote(1, who="ada", why="test")
    assert main(arguments(tmp_path, lineage='{"seed": 42.0}')) == 0
    assert results(tmp_path) == {**first, "stage": "champion"}
    assert "already registered as poems/1 (champion: test)" in capsys.readouterr().err
    assert main(arguments(tmp_path, model="other weights")) == 0
    assert results(tmp_path)["version"] == 2


def test_the_same_model_under_other_gates_is_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path)) == 0
    first = results(tmp_path)
    registry = Registry(tmp_path / "registry", "poems")
    assert main(arguments(tmp_path, REJECTED, lineage='{"profile": "strict"}')) == 0
    assert results(tmp_path) == {**first, "stage": "rejected"}
    assert "judged again as poems/1 (rejected: perplexity is 120, above 100)" in capsys.readouterr().err
    assert registry.decisions(1)[-1].profile == "strict"
    assert main(arguments(tmp_path, REJECTED)) == 0
    assert main(arguments(tmp_path)) == 0
    assert results(tmp_path) == first
    assert [entry.statement.action for entry in registry.log()] == ["add_source", "register", "judge_again", "judge_again"]


def test_a_version_of_an_earlier_release_is_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Registry.register

    def former(self: Registry, files: Any, **given: Any) -> Any:  # earlier releases had the stage in the identity
        digests = [digest_path(tmp_path / name) for name in ("model", "tokenizer")]
        return real(self, files, **{**given, "identity": digest_json(["poems", *digests, given["stage"]]), "former_identities": ()})

    with monkeypatch.context() as patched:
        patched.setattr(Registry, "register", former)
        assert main(arguments(tmp_path)) == 0
    assert main(arguments(tmp_path)) == 0
    assert main(arguments(tmp_path, REJECTED)) == 0
    assert [entry.statement.version for entry in Registry(tmp_path / "registry", "poems").log()] == [0, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"decision": "{"}, "not JSON"), ({"lineage": "[]"}, "--lineage: a JSON object is needed, not list")],
)
def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], message: str) -> None:
    assert main(arguments(tmp_path, **change)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "registry").exists()


def test_a_corrupt_registry_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = tmp_path / "registry" / "poems" / "log" / "00000001.json"
    entry.parent.mkdir(parents=True)
    entry.write_text("{}")
    assert main(arguments(tmp_path)) == 2
    assert capsys.readouterr().err.startswith(f"error: {entry}: the log entry was changed after it was written; restore")


@pytest.mark.parametrize("step", ["gate_model", "register_model", "deploy_canary"])
def test_a_registry_step_imports_no_heavy_package(step: str) -> None:
    code = f"import sys, components.{step}.__main__; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"kfp", "numpy", "pandas", "pyarrow", "tensorflow", "typer", "rich"} & set(loaded)


def test_a_model_with_an_open_question_is_a_candidate_and_the_log_names_the_question(tmp_path: Path) -> None:
    open_gates = [{"metric": "perplexity", "verdict": "pass"}, {"metric": "bleu", "verdict": "open"}]
    decision = {
        "verdict": "accepted",
        "reason": "",
        "gates": open_gates,
        "metrics": {"perplexity": 40},
        "open_questions": [{"metric": "bleu"}],
    }
    assert main(arguments(tmp_path, decision)) == 0
    version = Registry(tmp_path / "registry", "poems").version(1)
    assert (version.stage, version.why) == ("candidate", "no gate failed; open: bleu; passed: perplexity")
    assert version.manifest().decision["open_questions"] == [{"metric": "bleu"}]


def test_a_corpus_from_another_address_needs_a_confirmation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path, source="/poems")) == 0
    assert main(arguments(tmp_path, source="/letters", model="other weights")) == 2
    assert "has been trained on /poems, not on /letters" in capsys.readouterr().err
    registry = Registry(tmp_path / "registry", "poems")
    assert len(registry.versions()) == 1
    assert main(arguments(tmp_path, source="/letters", model="other weights", same_model="1")) == 0
    assert [entry.statement.why for entry in registry.log() if entry.statement.action == "add_source"] == [
        "the first corpus of the model", "confirmed with --same-model",
    ]  # fmt: skip


def test_a_version_is_registered_in_a_bucket(gcs: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gcs.create_bucket("registered")
    command = arguments(tmp_path)
    command[command.index("--registry") + 1] = "gs://registered/registry"
    assert main(command) == 0 and main(command) == 0
    versions = Registry("gs://registered/registry", "poems").verify()
    assert results(tmp_path) == {"version": 1, "stage": "candidate", "version_digest": versions[0].digest} and len(versions) == 1
    assert not (tmp_path / "registry").exists()
    command[command.index("--registry") + 1] = "gs://nowhere/registry"
    capsys.readouterr()
    assert main(command) == 2
    assert capsys.readouterr().err == "error: gs://nowhere/registry: there is no such bucket; create it, or check the name\n"
