"""The compiled pipeline against its golden file. After a wanted change: ROBO_POET_GOLDEN=write pytest tests/pipelines/test_compile.py"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.compile import compile_training, run_parameters
from pipelines.profile import load_profile
from robo_poet.errors import BadInput

GOLDEN = Path(__file__).parent / "golden" / "training-rtx.yaml"


def parsed(path: Path) -> list[dict[str, Any]]:
    """Both documents, without what changes with every line of code or release: image tags and the SDK's version."""
    text = re.sub(r"(robo-poet/\w+):[0-9a-f]{16}", r"\1:TAG", path.read_text())
    documents = list(yaml.safe_load_all(text))
    documents[0].pop("sdkVersion")
    return documents


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("ir") / "deep" / "training.yaml"
    compile_training(load_profile("rtx").profile, target)
    return target


def test_the_pipeline_is_the_golden_one(compiled: Path) -> None:
    if os.environ.get("ROBO_POET_GOLDEN") == "write":
        GOLDEN.write_text(yaml.safe_dump_all(parsed(compiled), sort_keys=True))
    assert parsed(compiled) == list(yaml.safe_load_all(GOLDEN.read_text()))


def test_only_gpu_steps_go_to_the_gpu_pool(compiled: Path) -> None:
    pipeline, platform = parsed(compiled)
    executors = pipeline["deploymentSpec"]["executors"]
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    gpu = {name for name, executor in executors.items() if "accelerator" in executor["container"].get("resources", {})}
    assert gpu == {"exec-train-model", "exec-evaluate-model"}
    for name in gpu:
        assert executors[name]["container"]["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
        assert placed[name]["nodeSelector"]["labels"] == {"robo-poet.dev/pool": "rtx"}
        assert placed[name]["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert not any("nodeSelector" in settings for name, settings in placed.items() if name not in gpu)


def test_effects_are_never_cached_and_all_else_is(compiled: Path) -> None:
    root = parsed(compiled)[0]
    tasks = dict(root["root"]["dag"]["tasks"])
    for component in root["components"].values():
        tasks |= component.get("dag", {}).get("tasks", {})
    steps = {name: task for name, task in tasks.items() if not name.startswith("condition")}
    assert {name for name, task in steps.items() if not task["cachingOptions"].get("enableCache")} == {"register-model", "deploy-canary"}
    assert all(task["retryPolicy"]["maxRetryCount"] == 2 for task in steps.values())


def test_every_artifact_that_is_read_comes_with_its_digest(compiled: Path) -> None:
    for component in parsed(compiled)[0]["components"].values():
        if "executorLabel" in component:
            inputs = component.get("inputDefinitions", {})
            for name in inputs.get("artifacts", {}):
                assert f"{name}_digest" in inputs["parameters"]


def test_compiling_twice_gives_the_same_bytes(compiled: Path, tmp_path: Path) -> None:
    compile_training(load_profile("rtx").profile, tmp_path / "again.yaml")
    assert (tmp_path / "again.yaml").read_bytes() == compiled.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["again.yaml"]


def test_resources_for_a_step_that_is_none_are_refused(tmp_path: Path) -> None:
    profile = load_profile("rtx", ["cluster.resources.cook={cpu: 500m}"]).profile
    with pytest.raises(BadInput, match="cluster.resources.cook: no such step"):
        compile_training(profile, tmp_path / "x.yaml")
    assert not list(tmp_path.iterdir())


def test_a_corpus_counts_by_its_content(tmp_path: Path) -> None:
    profile = load_profile("ci").profile
    (tmp_path / "a.txt").write_text("one")
    first = run_parameters(profile, source=str(tmp_path), registry="r")
    assert first == run_parameters(profile, source=str(tmp_path), registry="r")
    (tmp_path / "a.txt").write_text("two")
    assert first["source_digest"] != run_parameters(profile, source=str(tmp_path), registry="r")["source_digest"]
    assert run_parameters(profile, source="", registry="r")["source_digest"] == ""
