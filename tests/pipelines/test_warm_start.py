from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.cluster.submit import cluster_parameters
from pipelines.code_digest import ROOT
from pipelines.compile import run_parameters
from pipelines.containers import docker_runner
from pipelines.environments import interpreter
from pipelines.local import train_here
from pipelines.profile import load_profile
from pipelines.run.process import ProcessRunner, Runner
from pipelines.warm_start import warm_start
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.registry.errors import Corrupt, NoSuchVersion
from robo_poet.registry.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Version 1 has a Keras model, version 2 has none."""
    for number, name in enumerate(("keras/model.keras", "saved_model/saved_model.pb")):
        file = tmp_path / f"made{number}" / name
        file.parent.mkdir(parents=True)
        file.write_text("weights")
        Registry(tmp_path / "registry").register(
            {"model": tmp_path / f"made{number}"},
            metrics={},
            lineage={},
            decision={"verdict": "accepted"},
            stage="candidate",
            who="test",
            why="test",
        )
    return tmp_path / "registry"


def test_a_number_becomes_path_and_digest_of_the_versions_model(registry: Path) -> None:
    profile = load_profile("ci", ["train.warm_start=1"]).profile
    parameters = run_parameters(profile, source="", registry=str(registry))
    folder = Path(parameters["warm_start"])
    assert folder.is_absolute() and (folder / "keras" / "model.keras").read_text() == "weights"
    assert parameters["warm_start_digest"] == digest_path(folder) and parameters["lineage"]["settings"]["train"]["warm_start"] == 1


def test_nobody_asks_and_nothing_is_read(tmp_path: Path) -> None:
    assert warm_start(0, str(tmp_path / "nowhere")) == {"warm_start": "", "warm_start_digest": ""}


def test_what_cannot_be_begun_with_is_said_before_anything_runs(registry: Path) -> None:
    with pytest.raises(NoSuchVersion):
        warm_start(7, str(registry))
    with pytest.raises(BadInput, match=r"train.warm_start=2: .*holds no Keras model"):
        warm_start(2, str(registry))
    with pytest.raises(BadInput, match="no such registry on this machine"):
        warm_start(1, str(registry / "nowhere"))
    Path(warm_start(1, str(registry))["warm_start"], "keras", "model.keras").write_text("changed")
    with pytest.raises(Corrupt):
        warm_start(1, str(registry))


def test_the_runner_that_runs_the_steps_can_reach_the_version(registry: Path, tmp_path: Path) -> None:
    places = [f"local.{name}={tmp_path / name}" for name in ("registry", "store", "runs")]
    asked: list[Mapping[str, Any]] = []

    def runner(parameters: Mapping[str, Any]) -> Runner:
        asked.append(parameters)
        if len(asked) == 2:
            raise BadInput("enough was seen")
        return ProcessRunner(ROOT, interpreter)

    with pytest.raises(BadInput, match="enough was seen"):
        train_here(load_profile("ci", ["train.warm_start=1", *places]).profile, "", runner, lambda event: None)
    assert "warm_start" not in asked[0] and Path(asked[1]["warm_start"], "keras", "model.keras").is_file()
    mounts = {mount.path for mount in docker_runner(asked[1]).mounts}
    assert Path(asked[1]["warm_start"]) in mounts


def test_a_cluster_run_says_that_it_cannot(tmp_path: Path) -> None:
    profile = load_profile("rtx", ["train.warm_start=1", f"cluster.registry={tmp_path}/registry"]).profile
    with pytest.raises(BadInput, match="use RUNNER=process or RUNNER=docker"):
        cluster_parameters(profile, source="")


def test_a_container_may_read_the_version_and_not_write_it(registry: Path) -> None:
    mounts = docker_runner(warm_start(1, str(registry))).mounts
    assert [(mount.path.name, mount.writable) for mount in mounts] == [("model", False)]
