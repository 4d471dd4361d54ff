from pathlib import Path

import pytest

from pipelines.cluster.submit import cluster_parameters
from pipelines.compile import run_parameters
from pipelines.containers import docker_runner
from pipelines.profile import load_profile
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


def test_a_cluster_run_says_that_it_cannot(tmp_path: Path) -> None:
    profile = load_profile("rtx", ["train.warm_start=1", f"cluster.registry={tmp_path}/registry"]).profile
    with pytest.raises(BadInput, match="use RUNNER=process or RUNNER=docker"):
        cluster_parameters(profile, source="")


def test_a_container_may_read_the_version_and_not_write_it(registry: Path) -> None:
    mounts = docker_runner(warm_start(1, str(registry))).mounts
    assert [(mount.path.name, mount.writable) for mount in mounts] == [("model", False)]
