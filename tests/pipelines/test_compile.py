"""The compiled pipeline against its golden file. After a wanted change: ROBO_POET_GOLDEN=write pytest tests/pipelines/test_compile.py

Covers: placement, training.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.cluster.submit import cluster_parameters
from pipelines.compile import chosen_settings, compile_training, run_parameters, warm_start
from pipelines.images.build import docker_runner
from pipelines.images.programs import ROOT, interpreter
from pipelines.local import train_here
from pipelines.profile.load import load_profile
from pipelines.run.execution.process import ProcessRunner, Runner
from pipelines.steps import STEPS
from robo_poet.deletion.suppression import add_digests, list_digest, open_suppression
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Corrupt, NoSuchVersion
from robo_poet.registry.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Version 1 has a Keras model, version 2 has none."""
    for number, name in enumerate(("keras/model.keras", "saved_model/saved_model.pb")):
        file = tmp_path / f"made{number}" / name
        file.parent.mkdir(parents=True)
        file.write_text("weights")
        Registry(tmp_path / "registry", "poems").register(
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
    parameters = run_parameters(profile, source="", registry=str(registry), model="poems")
    folder = Path(parameters["warm_start"])
    assert folder.is_absolute() and (folder / "keras" / "model.keras").read_text() == "weights"
    assert parameters["warm_start_digest"] == digest_path(folder) and parameters["lineage"]["settings"]["train"]["warm_start"] == 1


def test_without_warm_start_no_registry_is_read(tmp_path: Path) -> None:
    assert warm_start(0, str(tmp_path / "nowhere"), "poems") == {"warm_start": "", "warm_start_digest": ""}


def test_an_unusable_warm_start_is_rejected_before_anything_runs(registry: Path) -> None:
    with pytest.raises(NoSuchVersion):
        warm_start(7, str(registry), "poems")
    with pytest.raises(BadInput, match=r"train.warm_start=2: .*has no Keras model"):
        warm_start(2, str(registry), "poems")
    with pytest.raises(BadInput, match="the registry is not a folder on this machine"):
        warm_start(1, str(registry / "nowhere"), "poems")
    Path(warm_start(1, str(registry), "poems")["warm_start"], "keras", "model.keras").write_text("changed")
    with pytest.raises(Corrupt):
        warm_start(1, str(registry), "poems")


def test_the_runner_that_runs_the_steps_can_reach_the_version(registry: Path, tmp_path: Path) -> None:
    places = [f"local.{name}={tmp_path / name}" for name in ("registry", "store", "runs")]
    asked: list[Mapping[str, Any]] = []

    def runner(parameters: Mapping[str, Any]) -> Runner:
        asked.append(parameters)
        if len(asked) == 2:
            raise BadInput("enough was seen")
        return ProcessRunner(ROOT, interpreter)

    with pytest.raises(BadInput, match="enough was seen"):
        train_here(load_profile("ci", ["train.warm_start=1", *places]).profile, "", runner, lambda event: None, model="poems")
    assert "warm_start" not in asked[0] and Path(asked[1]["warm_start"], "keras", "model.keras").is_file()
    mounts = {mount.path for mount in docker_runner(asked[1]).mounts}
    assert Path(asked[1]["warm_start"]) in mounts


def test_a_cluster_run_rejects_a_warm_start_without_local_registry(tmp_path: Path) -> None:
    profile = load_profile("rtx", ["train.warm_start=1", f"cluster.registry={tmp_path}/registry"]).profile
    with pytest.raises(BadInput, match="use RUNNER=process or RUNNER=docker"):
        cluster_parameters(profile, source="")


def test_a_container_may_read_the_version_and_not_write_it(registry: Path) -> None:
    mounts = docker_runner(warm_start(1, str(registry), "poems")).mounts
    assert [(mount.path.name, mount.writable) for mount in mounts] == [("model", False)]


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
    """The same without descriptions and display names: a change of words is not a change of the pipeline."""
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


def test_every_pod_has_limits_requests_a_time_limit_and_no_root(tmp_path: Path) -> None:
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
    reach = dict.fromkeys(("validate-data", "compare-champion", "register-model", "deploy-canary"), registry)
    assert mounts == {"train-model": [("robo-poet-checkpoints", "/checkpoints")], **reach}


def test_a_registry_in_a_bucket_needs_no_volume(tmp_path: Path) -> None:
    _, pods = settings_of(["cluster.registry=gs://poets/registry"], tmp_path)
    assert {step for step, pod in pods.items() if "pvcMount" in pod} == {"train-model"}
    document = yaml.safe_load((tmp_path / "ir.yaml").read_text().split("\n---\n")[0])
    assert document["root"]["inputDefinitions"]["parameters"]["registry"]["defaultValue"] == "gs://poets/registry"


def test_only_steps_that_write_to_the_registry_mount_the_signing_key(tmp_path: Path) -> None:
    def mounting(*overrides: str) -> set[str]:
        _, pods = settings_of(list(overrides), tmp_path)
        return {step for step, pod in pods.items() for one in pod.get("secretAsVolume", ()) if one["mountPath"] == "/etc/robo-poet/signing"}

    writers = {"register-model", "deploy-canary"}
    assert mounting(f"cluster.trusted_keys=['{'A' * 124}']") == writers
    assert mounting() == writers | {"validate-data", "compare-champion"}
    assert mounting("cluster.signing_secret=''") == set()


def test_only_ingest_mounts_the_list_of_deleted_documents(tmp_path: Path) -> None:
    _, pods = settings_of(["cluster.deletions_secret=forgotten"], tmp_path)
    folder = "/etc/robo-poet/deletions"
    assert {
        (step, one["mountPath"]) for step, pod in pods.items() for one in pod.get("secretAsVolume", ()) if one["secretName"] == "forgotten"
    } == {("ingest", folder)}
    deletions = tmp_path / "deletions"
    add_digests(deletions, [open_suppression(deletions).digest("text", "A poem")])
    profile = load_profile("rtx", [f"local.deletions={deletions}", "cluster.deletions_secret=forgotten"]).profile
    compile_training(profile, tmp_path / "ir.yaml")
    parameters = parsed(tmp_path / "ir.yaml")[0]["root"]["inputDefinitions"]["parameters"]
    assert [parameters[name]["defaultValue"] for name in ("suppression", "suppression_digest")] == [folder, list_digest(deletions)]


def test_secrets_are_references_for_the_steps_that_are_named(tmp_path: Path) -> None:
    secret = "{name: gcs, env: {path: GOOGLE_APPLICATION_CREDENTIALS}, mount: /secrets/gcs, steps: [ingest]}"
    containers, pods = settings_of(
        [
            f"cluster.secrets=[{secret}]",
            "cluster.image_pull_secrets=[pull]",
            "cluster.run_as_user=1000",
            "cluster.image_pull_policy=Always",
            "cluster.signing_secret=''",
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


def test_the_cache_can_be_disabled(tmp_path: Path) -> None:
    compile_training(load_profile("rtx", ["cluster.cache=false"]).profile, tmp_path / "ir.yaml")
    tasks = parsed(tmp_path / "ir.yaml")[0]["root"]["dag"]["tasks"]
    assert not any(task.get("cachingOptions", {}).get("enableCache") for task in tasks.values())


def test_parameters_have_defaults_for_a_run_from_the_ui(compiled: Path) -> None:
    parameters = parsed(compiled)[0]["root"]["inputDefinitions"]["parameters"]
    assert {name for name, one in parameters.items() if "defaultValue" not in one} == {"lineage", "who"}
    assert parameters["registry"]["defaultValue"] == "/registry" and parameters["source"]["defaultValue"] == ""


def test_only_steps_that_use_the_registry_are_never_cached(compiled: Path) -> None:
    root = parsed(compiled)[0]
    tasks = dict(root["root"]["dag"]["tasks"])
    for component in root["components"].values():
        tasks |= component.get("dag", {}).get("tasks", {})
    steps = {name: task for name, task in tasks.items() if not name.startswith("condition")}
    uncached = {name for name, task in steps.items() if not task["cachingOptions"].get("enableCache")}
    assert uncached == {"validate-data", "compare-champion", "register-model", "deploy-canary"}, (
        "a cluster's champion is not known at submission"
    )
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


def test_resources_for_an_unknown_step_are_rejected(tmp_path: Path) -> None:
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


def test_what_started_a_run_leaves_the_cache_of_the_data_and_the_model_valid() -> None:
    """The lineage names it, and only these steps read the lineage."""
    assert {step.name for step in STEPS for port in step.ports if port.name == "lineage"} == {"write_report", "register_model"}


def test_the_lineage_says_which_profile_was_changed_and_how(tmp_path: Path) -> None:
    overrides = ["train.epochs=99", "seed=42", "local.parallel=1", "gates=[{metric: perplexity, max: 50}]"]
    profile = load_profile("ci", overrides).profile
    chosen = chosen_settings("ci", profile)
    assert (chosen.profile, chosen.changed) == ("ci", {"train.epochs": 99, "gates.perplexity": "<= 50"})
    (tmp_path / "poem.txt").write_text("O sea")
    lineage = run_parameters(profile, source=str(tmp_path), registry="r", model="poems", chosen=chosen)["lineage"]
    assert (lineage["profile"], lineage["changed"]) == ("ci", chosen.changed)
    triggered = replace(chosen, trigger={"cause": "the world changed"})
    named = run_parameters(profile, source=str(tmp_path), registry="r", model="poems", chosen=triggered)
    assert named["lineage"] == lineage | {"trigger": {"cause": "the world changed"}}
    without = run_parameters(profile, source=str(tmp_path), registry="r", model="poems")["lineage"]
    assert without == {key: value for key, value in lineage.items() if key not in ("profile", "changed")}


def test_a_profile_file_is_named_without_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: ci\ntrain: {epochs: 9}\n")
    chosen = chosen_settings(str(path), load_profile(str(path), ["train.epochs=8"]).profile)
    assert (chosen.profile, chosen.changed) == ("mine", {"train.epochs": 8})
