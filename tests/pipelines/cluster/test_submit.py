"""Submitting to a Kubeflow that checks each call as the real one would."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pipelines.cluster.client import connect
from pipelines.cluster.connection import find_connection
from pipelines.cluster.submit import cluster_parameters, submit_training
from pipelines.profile.load import Profile
from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from tests.pipelines.cluster.conftest import TOKEN
from tests.pipelines.cluster.kubeflow_server import Kubeflow

Serve, Make = Callable[..., Kubeflow], Callable[..., Profile]


def test_a_run_is_uploaded_and_started_with_all_it_needs(serve: Serve, profile: Make, ir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(token=TOKEN, namespaces=("poets",))
    monkeypatch.setenv("ROBO_POET_CLUSTER_HOST", server.address + "/")
    monkeypatch.setenv("ROBO_POET_CLUSTER_TOKEN", TOKEN)
    chosen = profile("cluster.namespace=poets", "cluster.service_account=poet")
    submitted = submit_training(chosen, ir, cluster_parameters(chosen, source=""), name="a night's work")
    run = server.things["runs"][submitted.run_id]
    assert submitted.address == f"{server.address}/#/runs/details/{submitted.run_id}"
    assert run["display_name"] == "a night's work" and run["service_account"] == "poet"
    assert run["runtime_config"]["pipeline_root"] == "gs://poets/runs"
    parameters = run["runtime_config"]["parameters"]
    assert parameters["registry"] == "/registry" and parameters["checkpoint_root"] == "/checkpoints" and parameters["seed"] == 42
    version = server.things["versions"][run["pipeline_version_reference"]["pipeline_version_id"]]
    assert version["name"] == digest_file(ir)[:16] == submitted.version and not submitted.reused
    assert [version["pipeline_spec"]["pipeline_spec"], version["pipeline_spec"]["platform_spec"]] == list(
        yaml.safe_load_all(ir.read_text())
    )
    assert server.things["pipelines"]["pipeline-1"]["namespace"] == "poets"


def test_a_second_submission_reuses_the_version(serve: Serve, profile: Make, ir: Path, tmp_path: Path) -> None:
    server = serve()
    chosen = profile(f"cluster.host={server.address}")
    parameters = cluster_parameters(chosen, source="")
    first, second = (submit_training(chosen, ir, parameters) for _ in range(2))
    assert not first.reused and second.reused and first.version == second.version and first.run_id != second.run_id
    assert server.calls.count("upload_version") == 1 and server.calls.count("create_pipeline") == 1
    changed = tmp_path / "changed.yaml"
    changed.write_text(ir.read_text() + "\n")
    assert not submit_training(chosen, changed, parameters).reused
    assert len(server.things["pipelines"]) == 1 and len(server.things["versions"]) == 2


def test_concurrent_uploads_give_the_same_version(serve: Serve, profile: Make, ir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    chosen = profile(f"cluster.host={server.address}")
    submit_training(chosen, ir, cluster_parameters(chosen, source=""))
    connected = connect(find_connection(chosen.cluster))
    for name in ("list_pipelines", "list_pipeline_versions"):  # the other's upload falls between our look and our own
        real = getattr(connected[0], name)
        answers = iter([type("Nothing", (), {"pipelines": None, "pipeline_versions": None})()])
        monkeypatch.setattr(connected[0], name, lambda *a, _real=real, _first=answers, **k: next(_first, None) or _real(*a, **k))
    assert submit_training(chosen, ir, cluster_parameters(chosen, source=""), connected=connected).reused
    assert len(server.things["versions"]) == 1


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("cluster.registry_claim=''", "cluster: registry /registry is inside the pod"),
        ("cluster.registry=s3://b/r", "cluster.registry = 's3://b/r': an address with s3:// is not supported here"),
        ("cluster.checkpoint_claim=''", "cluster: no claim is mounted at checkpoint_root /checkpoints"),
    ],
)
def test_an_unready_profile_is_not_submitted(override: str, line: str, serve: Serve, profile: Make, ir: Path) -> None:
    server = serve()
    with pytest.raises(BadInput) as error:
        submit_training(profile(f"cluster.host={server.address}", override), ir, {})
    assert line in str(error.value) and server.calls == []


def test_a_corpus_of_this_machine_is_refused(profile: Make, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="steps on a cluster cannot read; copy it to gs://"):
        cluster_parameters(profile(), source=str(tmp_path))


def test_a_start_from_a_version_is_refused(profile: Make) -> None:
    with pytest.raises(BadInput, match="train.warm_start=2: a run on a cluster cannot start with the weights of a version"):
        cluster_parameters(profile("train.warm_start=2", "cluster.registry=gs://poets/r"), source="")


def test_the_test_server_rejects_wrong_calls(profile: Make, ir: Path) -> None:
    """The tests above are worth what this server sees."""
    with Kubeflow() as server:
        chosen = profile(f"cluster.host={server.address}")
        parameters = cluster_parameters(chosen, source="")
        one_document = ir.with_name("one.yaml")
        one_document.write_text(ir.read_text().split("\n---\n")[0])
        for wrong, path in (({**parameters, "seed": "42"}, ir), ({**parameters, "colour": 1}, ir), ({}, ir), (parameters, one_document)):
            with pytest.raises(BadInput, match="responds with 400"):
                submit_training(chosen, path, wrong)
        assert len(server.faults) == 4 and server.things["runs"] == {}
