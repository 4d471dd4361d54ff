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


def without_words(value: Any) -> Any:
    """The same without descriptions and display names: a change of words is no change of the pipeline."""
    if isinstance(value, dict):
        return {key: without_words(one) for key, one in value.items() if key not in ("description", "displayName")}
    return [without_words(one) for one in value] if isinstance(value, list) else value


def test_the_pipeline_is_the_golden_one(compiled: Path) -> None:
    documents = without_words(parsed(compiled))
    if os.environ.get("ROBO_POET_GOLDEN") == "write":
        GOLDEN.write_text(yaml.safe_dump_all(documents, sort_keys=True))
    assert documents == list(yaml.safe_load_all(GOLDEN.read_text()))


def test_only_gpu_steps_go_to_the_gpu_pool(compiled: Path) -> None:
    pipeline, platform = parsed(compiled)
    executors = pipeline["deploymentSpec"]["executors"]
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    gpu = {name for name, executor in executors.items() if "accelerator" in executor["container"].get("resources", {})}
    assert gpu == {"exec-train-model", "exec-evaluate-model", "exec-audit-model", "exec-compare-champion"}
    for name in gpu:
        assert executors[name]["container"]["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
        assert placed[name]["nodeSelector"]["labels"] == {"robo-poet.dev/pool": "rtx"}
        assert placed[name]["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert not any("nodeSelector" in settings for name, settings in placed.items() if name not in gpu)


def settings_of(profile_overrides: list[str], folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Containers, and Kubernetes settings of their pods, by step."""
    compile_training(load_profile("rtx", profile_overrides).profile, folder / "ir.yaml")
    pipeline, platform = parsed(folder / "ir.yaml")
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    containers = {name.removeprefix("exec-"): executor["container"] for name, executor in pipeline["deploymentSpec"]["executors"].items()}
    return containers, {name.removeprefix("exec-"): value for name, value in placed.items()}


def test_every_pod_has_limits_requests_an_end_and_no_root(tmp_path: Path) -> None:
    containers, pods = settings_of([], tmp_path)
    assert set(containers) == set(pods)
    for step, container in containers.items():
        resources = container["resources"]
        assert resources["cpuRequest"] <= resources["cpuLimit"] and resources["memoryRequest"] == resources["memoryLimit"], step
        assert 0 < int(pods[step]["activeDeadlineSeconds"]) <= (12 * 3600 if step == "train-model" else 3600), step
        assert pods[step]["imagePullPolicy"] == "IfNotPresent" and pods[step]["securityContext"] == {"runAsNonRoot": True}
        assert pods[step]["podMetadata"]["labels"]["app.kubernetes.io/component"] == step


def test_claims_are_mounted_where_they_are_used_and_nowhere_else(tmp_path: Path) -> None:
    _, pods = settings_of([], tmp_path)
    mounts = {step: [(one["constant"], one["mountPath"]) for one in pod["pvcMount"]] for step, pod in pods.items() if "pvcMount" in pod}
    registry = [("robo-poet-registry", "/registry")]
    reach = dict.fromkeys(("compare-champion", "register-model", "deploy-canary"), registry)
    assert mounts == {"train-model": [("robo-poet-checkpoints", "/checkpoints")], **reach}


def test_secrets_are_references_for_the_steps_that_are_named(tmp_path: Path) -> None:
    secret = "{name: gcs, env: {path: GOOGLE_APPLICATION_CREDENTIALS}, mount: /secrets/gcs, steps: [ingest]}"
    containers, pods = settings_of(
        [
            f"cluster.secrets=[{secret}]",
            "cluster.image_pull_secrets=[pull]",
            "cluster.run_as_user=1000",
            "cluster.image_pull_policy=Always",
        ],
        tmp_path,
    )
    assert (
        {step for step, pod in pods.items() if "secretAsEnv" in pod}
        == {"ingest"}
        == {s for s, pod in pods.items() if "secretAsVolume" in pod}
    )
    assert pods["ingest"]["secretAsEnv"][0]["secretName"] == "gcs"
    assert pods["ingest"]["secretAsEnv"][0]["keyToEnv"] == [{"envVar": "GOOGLE_APPLICATION_CREDENTIALS", "secretKey": "path"}]
    assert pods["ingest"]["secretAsVolume"][0]["mountPath"] == "/secrets/gcs"
    for step, pod in pods.items():
        assert pod["imagePullSecret"][0]["secretName"] == "pull" and pod["imagePullPolicy"] == "Always"
        assert pod["securityContext"] == {"runAsNonRoot": True, "runAsUser": "1000"}
        assert "env" not in containers[step]


def test_the_cache_can_be_left_out(tmp_path: Path) -> None:
    compile_training(load_profile("rtx", ["cluster.cache=false"]).profile, tmp_path / "ir.yaml")
    tasks = parsed(tmp_path / "ir.yaml")[0]["root"]["dag"]["tasks"]
    assert not any(task.get("cachingOptions", {}).get("enableCache") for task in tasks.values())


def test_who_starts_a_run_in_the_ui_need_say_little(compiled: Path) -> None:
    parameters = parsed(compiled)[0]["root"]["inputDefinitions"]["parameters"]
    assert {name for name, one in parameters.items() if "defaultValue" not in one} == {"lineage", "who"}
    assert parameters["registry"]["defaultValue"] == "/registry" and parameters["source"]["defaultValue"] == ""


def test_effects_are_never_cached_and_all_else_is(compiled: Path) -> None:
    root = parsed(compiled)[0]
    tasks = dict(root["root"]["dag"]["tasks"])
    for component in root["components"].values():
        tasks |= component.get("dag", {}).get("tasks", {})
    steps = {name: task for name, task in tasks.items() if not name.startswith("condition")}
    uncached = {name for name, task in steps.items() if not task["cachingOptions"].get("enableCache")}
    assert uncached == {"compare-champion", "register-model", "deploy-canary"}, "a cluster's champion is not known at submission"
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
    with pytest.raises(BadInput, match="cluster.resources.cook: no such step: cook; the steps are ingest,"):
        compile_training(profile, tmp_path / "x.yaml")
    with pytest.raises(BadInput, match="cluster.secrets: gcs: no such step: cook; the steps are ingest,"):
        compile_training(load_profile("rtx", ["cluster.secrets=[{name: gcs, mount: /s, steps: [cook]}]"]).profile, tmp_path / "x.yaml")
    assert not list(tmp_path.iterdir())


def test_a_corpus_counts_by_its_content(tmp_path: Path) -> None:
    profile = load_profile("ci").profile
    (tmp_path / "a.txt").write_text("one")
    first = run_parameters(profile, source=str(tmp_path), registry="r")
    assert first == run_parameters(profile, source=str(tmp_path), registry="r")
    (tmp_path / "a.txt").write_text("two")
    assert first["source_digest"] != run_parameters(profile, source=str(tmp_path), registry="r")["source_digest"]
    assert run_parameters(profile, source="", registry="r")["source_digest"] == ""
