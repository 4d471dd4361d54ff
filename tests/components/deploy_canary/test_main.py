import json
from pathlib import Path
from typing import Any

import pytest

from components.deploy_canary.__main__ import main
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", "poems")


def add(registry: Registry, seed: int, stage: str = "candidate") -> Version:
    source = registry.root.parent / "weights"
    source.write_text(str(seed))
    statement = {"who": "ada", "why": "perplexity is 120"}
    return registry.register({"weights": source}, metrics={}, lineage={}, decision={}, stage=stage, **statement)


def run(registry: Registry, version: Version, /, **changes: Any) -> tuple[int, str]:
    """Exit status and resulting stage of the step."""
    output = registry.root.parent / "executor.json"
    output.unlink(missing_ok=True)
    options = {"registry": registry.root, "model-name": registry.model, "version": version.number, "version-digest": version.digest}
    options |= {"who": "pipeline", **changes}
    status = main([str(part) for key, value in options.items() for part in (f"--{key}", value)] + ["--executor-output", str(output)])
    return status, json.loads(output.read_text())["parameterValues"]["stage"] if output.exists() else ""


def test_the_first_version_becomes_champion_and_later_ones_canary(registry: Registry) -> None:
    one, two, three = (add(registry, seed) for seed in (1, 2, 3))
    assert run(registry, one) == (0, "champion")
    assert run(registry, two) == (0, "canary")
    assert run(registry, three, version="3.0") == (0, "canary")
    assert [str(version.stage) for version in registry.versions()] == ["champion", "archived", "canary"]
    assert registry.version(2).why == "superseded by version 3"
    assert registry.log()[-1].statement.who == "pipeline"


def test_a_version_in_a_bucket_is_deployed(gcs: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gcs.create_bucket("deployed")
    registry = Registry("gs://deployed/registry", "poems")
    for seed, stage in ((1, "champion"), (2, "canary")):
        (tmp_path / "weights").write_text(str(seed))
        files = {"weights": tmp_path / "weights"}
        version = registry.register(files, metrics={}, lineage={}, decision={}, stage="candidate", who="ada", why="passed")
        options = [
            "--registry",
            "gs://deployed/registry",
            "--model-name",
            "poems",
            "--version",
            str(seed),
            "--version-digest",
            version.digest,
        ]
        assert main([*options, "--who", "pipeline", "--executor-output", str(tmp_path / "executor.json")]) == 0
        assert json.loads((tmp_path / "executor.json").read_text())["parameterValues"]["stage"] == stage
    capsys.readouterr()
    gcs.bucket("deployed").blob(f"{version.address.removeprefix('gs://deployed/')}/weights").upload_from_string("forged")
    assert main([*options, "--who", "pipeline", "--executor-output", str(tmp_path / "executor.json")]) == 2
    error = capsys.readouterr().err
    assert f"error: {version.address}/weights: the object was changed after the registration" in error and error.count("\n") == 1


def test_a_second_deployment_changes_nothing(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, three = (add(registry, seed) for seed in (1, 2, 3))
    for version in (one, two, three):
        run(registry, version)
    entries = len(registry.log())
    capsys.readouterr()
    assert [run(registry, version) for version in (one, two, three)] == [(0, "champion"), (0, "archived"), (0, "canary")]
    assert len(registry.log()) == entries
    assert capsys.readouterr().err.count("already; no change\n") == 3


def refused(capsys: pytest.CaptureFixture[str], registry: Registry, version: Version, /, **changes: Any) -> str:
    entries = registry.log()
    assert run(registry, version, **changes) == (2, "")
    assert registry.log() == entries
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def test_a_rejected_version_is_refused(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert "poems/1: was rejected (perplexity is 120)" in refused(capsys, registry, add(registry, 1, "rejected"))


def test_a_version_that_the_gates_accept_later_is_deployed(registry: Registry) -> None:
    run(registry, add(registry, 1))
    version = add(registry, 2, "rejected")
    registry.judge_again(2, {"gates": []}, {}, verdict="accepted", who="ada", why="passed other gates")
    assert run(registry, version) == (0, "canary")
    registry.judge_again(2, {"gates": [{}]}, {}, verdict="rejected", who="ada", why="failed stricter gates")
    assert registry.canary() is None


def test_a_version_that_harmed_users_is_refused_although_the_gates_accept_it(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    run(registry, add(registry, 1))
    version = add(registry, 2)
    run(registry, version)
    registry.reject(2, who="canary controller", why="more errors")
    registry.judge_again(2, {"gates": []}, {}, verdict="accepted", who="ada", why="passed other gates")
    capsys.readouterr()
    error = refused(capsys, registry, version)
    assert "was rejected (more errors); no gate lifts the rejection by a person or the canary judge" in error


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 7}, "there is no version 7; versions are 1 to 1"),
        ({"version": 1.5}, "'1.5' is not a whole number"),
        ({"version": "nan"}, "'nan' is not a whole number"),
        ({"version": "one"}, "'one' is not a whole number"),
        ({"version-digest": "0" * 64}, "give the registry that the version was registered in"),
        ({"version-digest": ""}, "expected none"),
    ],
)
def test_an_unknown_version_or_another_digest_is_refused(
    registry: Registry, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], message: str
) -> None:
    assert message in refused(capsys, registry, add(registry, 1), **changes)


def test_a_changed_file_is_refused(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    version = add(registry, 1)
    (version.folder / "weights").unlink()
    (version.folder / "weights").write_text("evil")
    assert "weights was changed" in refused(capsys, registry, version)


def test_a_missing_registry_is_one_line(tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    version = add(registry, 1)
    assert run(registry, version, registry=tmp_path / "none") == (2, "")
    assert "there is no version 1; the registry is empty" in capsys.readouterr().err
