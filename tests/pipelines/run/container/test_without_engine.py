"""What the docker runner says and asks for where no engine need be: these run everywhere."""

import os
from pathlib import Path

import pytest

from pipelines.images.build import docker_runner
from pipelines.local import train_here
from pipelines.profile.load import load_profile
from pipelines.run.container import engine
from pipelines.run.container.docker import DockerRunner, Mount
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import Job
from pipelines.run.ir.document import read_pipeline
from pipelines.run.ir.steps import Limits
from robo_poet.errors import BadInput
from tests.pipelines.run.conftest import House, shell


def anything() -> None:
    shell(script="true")


def test_no_engine_is_one_line_before_anything_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(
        BadInput, match=r"^unix:///nowhere/docker.sock: .*; start a Docker engine, or set DOCKER_HOST; or use RUNNER=process$"
    ):
        run_pipeline(house.compile(anything), {}, store=house.store, runs=house.runs, runner=DockerRunner(lambda image: {}))
    assert not house.runs.exists()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInput, match="the docker command is not installed"):
        engine.find()


def test_a_bucket_as_source_is_rejected_by_the_docker_runner() -> None:
    with pytest.raises(BadInput, match=r"^source gs://poems/all: containers have no network and cannot read it; copy it"):
        docker_runner({"source": "gs://poems/all", "registry": "/registry"})
    runner = docker_runner({"source": "", "registry": "/registry", "checkpoint_root": "."})
    assert runner.mounts[0] == Mount(Path("/registry"), writable=True)


def test_only_steps_that_write_to_the_registry_get_the_signing_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("ROBO_POET_TRUST", str(home))
    registry = str(tmp_path / "registry")
    runner = docker_runner({"source": "", "registry": registry, "checkpoint_root": "."})

    def mounted(step: str, *arguments: str) -> set[str]:
        job = Job(f"robo-poet/{step}:0123456789abcdef", ("python", *arguments), {}, tmp_path, tmp_path / "log", (), 0)
        return {mount.path.name for mount in runner.mounts if mount.belongs_to(job)}

    assert mounted("ingest") == set()
    assert mounted("compare_champion", registry) == {"registry", "trusted_keys", "heads"}
    for step in ("register_model", "deploy_canary"):
        assert mounted(step, registry) == {"registry", "trusted_keys", "heads", "signing.key"}
    assert runner.environment["ROBO_POET_TRUST"] == str(home)
    assert runner.environment["ROBO_POET_SIGNING_KEY"] == str(home / "signing.key")


def test_a_bucket_is_rejected_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(BadInput, match="containers have no network"):
        train_here(load_profile("ci").profile, "gs://poems/all", docker_runner, lambda event: None)
    assert not list(tmp_path.iterdir())


def test_with_a_rootless_engine_the_containers_root_is_the_caller(tmp_path: Path) -> None:
    job = Job("image", ("sh",), {}, tmp_path, tmp_path / "log", (), 0)
    for rootless, user in ((False, f"{os.getuid()}:{os.getgid()}"), (True, "0:0")):
        runner = DockerRunner(lambda image: {})
        runner.engine = engine.Engine("28", 2, nvidia=False, rootless=rootless)
        assert f"--user={user}" in runner.options(job)


def test_limits_are_read_from_the_ir_and_change_no_key(house: House) -> None:
    def limited() -> None:
        shell(script="true").set_memory_limit("4Gi").set_cpu_limit("500m").set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(2)

    def free() -> None:
        shell(script="true")

    assert read_pipeline(house.compile(limited)).steps["shell"].container.resources == Limits("500m", "4Gi", 2)
    assert read_pipeline(house.compile(free)).steps["shell"].container.resources == Limits()
    keys = [house.run(ir).tasks["shell"].key for ir in (limited, free)]
    assert keys[0] == keys[1]
