"""The whole pipeline in containers: the same contents as in processes, step by step, and nothing left behind (issue 3)."""

import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.images.build import labels_of
from pipelines.images.programs import image
from pipelines.profile.load import load_profile
from pipelines.run.container import engine
from pipelines.run.container.engine import LABEL, Owner
from pipelines.steps import GROUPS, TRAINING_STEPS
from robo_poet.errors import BadInput
from tests.ci_run import ci_run
from tests.conftest import verse
from tests.e2e.conftest import FirstRun

pytestmark = pytest.mark.images

TIMED = {"logs"}  # TensorBoard's events say when each came, and no step reads them


@pytest.fixture(scope="module")
def images() -> None:
    """The engine has every step's image."""
    try:
        engine.find()
    except BadInput as error:
        pytest.skip(str(error))
    names = {step: image(step, load_profile("ci").profile.cluster.image_prefix) for step in GROUPS}
    found = engine.images(list(names.values()))
    for step, name in names.items():
        if name not in found or not labels_of(step, GROUPS[step]).items() <= engine.labels(found[name]).items():
            pytest.skip(f"{name} is not built; run make images")


@pytest.mark.timeout(900)
def test_every_step_makes_the_same_in_a_container_as_in_a_process(images: None, first_run: FirstRun, tmp_path: Path) -> None:
    """How many seconds containers cost is what `make bench BENCH=containers` measures."""
    result = ci_run(tmp_path, "docker")
    assert result.status == "succeeded", result.error
    assert len(result.tasks) == len(TRAINING_STEPS) and all(task.state == "ran" for task in result.tasks.values())
    in_containers, in_processes = contents(result.summary()), contents(first_run.summary)
    assert in_containers.keys() == in_processes.keys() and sum(len(made["artifacts"]) for made in in_processes.values()) > len(
        TRAINING_STEPS
    )
    for name, made in in_processes.items():
        assert in_containers[name] == made, name
    assert {path.lstat().st_uid for path in tmp_path.rglob("*")} == {os.getuid()}
    assert not engine.call("ps", "--all", "--quiet", f"--filter=label={LABEL}={Owner.me()}").out


def contents(summary: dict[str, Any]) -> dict[str, Any]:
    """What each step made, by digest."""
    return {
        name: {
            "artifacts": {key: one["digest"] for key, one in out["artifacts"].items() if key not in TIMED},
            "digests": {key: value for key, value in out["parameters"].items() if "digest" in key},
        }
        for name, out in summary["outputs"].items()
    }


@pytest.mark.timeout(600)
def test_ones_own_corpus_is_read_and_too_little_memory_is_said(images: None, tmp_path: Path) -> None:
    texts = tmp_path / "my texts"
    texts.mkdir()
    for number in range(12):
        (texts / f"poem {number}.txt").write_text(verse(number, 80))
    before = {path: path.read_bytes() for path in texts.iterdir()}
    small = "cluster.resources={train_model: {cpu: '2', memory: 64Mi}}"
    result = ci_run(tmp_path / "home", "docker", str(texts), small, "cluster.retries=0", "validation.on_language=ignore")
    states = {name: task.state for name, task in result.tasks.items()}
    assert result.status == "failed" and states["ingest"] == states["train-tokenizer"] == "ran", result.error
    assert result.error.startswith("train-model: out of memory: the limit of 64Mi was reached; raise")
    assert states["register-model"] == "cancelled" and not list((tmp_path / "home" / "registry").glob("*"))
    assert {path: path.read_bytes() for path in texts.iterdir()} == before
