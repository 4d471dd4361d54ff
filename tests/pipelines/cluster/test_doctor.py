"""`robo-poet cluster doctor`: what it finds, in plain words, a line each."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.cluster import app
from pipelines.cluster.doctor import Severity, examine
from pipelines.profile.load import Profile, load_profile
from tests.pipelines.cluster.conftest import TOKEN
from tests.pipelines.cluster.kubeflow_server import Kubeflow
from tests.pipelines.cluster.test_connection import jwt

Serve, Make = Callable[..., Kubeflow], Callable[..., Profile]


def found(profile: Profile, level: Severity) -> list[str]:
    lines = [str(one) for one in examine(profile.cluster) if one.severity is level]
    assert all("\n" not in line and TOKEN not in line for line in lines)
    return lines


def test_a_ready_cluster_has_no_problems(serve: Serve, profile: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(token=TOKEN, namespaces=("poets",))
    monkeypatch.setenv("ROBO_POET_CLUSTER_TOKEN", TOKEN)
    chosen = profile(f"cluster.host={server.address}", "cluster.namespace=poets")
    assert found(chosen, Severity.problem) == [] == found(chosen, Severity.warning)
    assert found(chosen, Severity.ok) == [
        f"connected to {server.address}", "the token is accepted", "namespace poets exists, and its runs are readable",
        "experiment Default exists", "artifacts are stored in gs://poets/runs",
        "images are named images.example.org/poets/<step>:<digest of the code>", "the registry is /registry on claim robo-poet-registry",
        "versions are signed with the secret robo-poet-signing; trusted keys: 1",
        "checkpoints are stored in /checkpoints on claim robo-poet-checkpoints",
    ]  # fmt: skip
    assert any("kubectl -n poets get pvc robo-poet-checkpoints" in line for line in found(chosen, Severity.unchecked))
    assert any(line.endswith("kubectl -n poets describe secret robo-poet-signing") for line in found(chosen, Severity.unchecked))
    assert any("kubectl get nodes -l robo-poet.dev/pool=rtx" in line for line in found(chosen, Severity.unchecked))


@pytest.mark.parametrize(
    ("overrides", "level", "words"),
    [
        (["cluster.image_prefix=robo-poet"], Severity.warning, "image prefix robo-poet has no registry host"),
        (["cluster.image_prefix=poets/robo"], Severity.warning, "image prefix poets/robo has no registry host"),
        (["cluster.image_prefix=localhost:5000/robo"], Severity.warning, "is a local address"),
        (["cluster.pipeline_root=''"], Severity.warning, "no pipeline root is set"),
        (["cluster.registry_claim=''", "cluster.registry=''"], Severity.problem, "no model registry is set"),
        (["cluster.registry_claim=''", "cluster.registry=registry"], Severity.problem, "registry registry is inside the pod"),
        (["cluster.registry=gs://poets/r"], Severity.ok, "the registry is gs://poets/r; it needs no volume"),
        (["cluster.registry=gs://poets/r"], Severity.unchecked, "must have the role Storage Object User for gs://poets/r"),
        (["cluster.signing_secret=''"], Severity.problem, "no signing key is set"),
        (["cluster.signing_secret=own"], Severity.unchecked, "secret own must exist, with the file signing.key; kubectl -n NAMESPACE describe secret own"),
        (["cluster.trusted_keys=[]"], Severity.warning, "no trusted keys are set"),
        (["cluster.checkpoint_claim=''"], Severity.problem, "no claim is mounted at checkpoint_root"),
        (["cluster.checkpoint_claim=''", "cluster.checkpoint_root=."], Severity.warning, "training restarts from the beginning"),
        (["cluster.experiment=odes"], Severity.problem, "experiment odes: there is no such experiment"),
        (["cluster.namespace=poets"], Severity.warning, "this Kubeflow is single-user: namespace poets is ignored"),
        (["cluster.image_pull_secrets=[pull]"], Severity.unchecked, "get secret pull"),
        (["cluster.service_account=poet"], Severity.unchecked, "get sa poet"),
    ],
)  # fmt: skip
def test_each_problem_is_reported(overrides: list[str], level: Severity, words: str, serve: Serve, profile: Make) -> None:
    server = serve()
    lines = found(profile(f"cluster.host={server.address}", *overrides), level)
    assert any(words in line for line in lines), lines


def test_a_token_that_expires_soon_and_a_refused_token(
    serve: Serve, profile: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = serve(token=jwt(time.time() + 120))
    monkeypatch.setenv("ROBO_POET_CLUSTER_TOKEN", server.token)
    chosen = profile(f"cluster.host={server.address}")
    assert any(
        line.startswith("the token is accepted, but expires in 2 minutes; for `wait`, set") for line in found(chosen, Severity.warning)
    )
    monkeypatch.delenv("ROBO_POET_CLUSTER_TOKEN")
    (tmp_path / "token").write_text(server.token)
    kept = profile(f"cluster.host={server.address}", f"cluster.token_file={tmp_path / 'token'}")
    assert "the token is accepted, and valid for 2 minutes" in found(kept, Severity.ok)
    server.token = "another"
    assert f"a server responds at {server.address}" in found(kept, Severity.ok)
    assert any("the token was refused" in line for line in found(kept, Severity.problem))


def test_namespaces(serve: Serve, profile: Make) -> None:
    server = serve(namespaces=("poets",))
    assert any("no namespace is set" in line for line in found(profile(f"cluster.host={server.address}"), Severity.problem))
    wrong = profile(f"cluster.host={server.address}", "cluster.namespace=prose")
    assert "the token is accepted" in found(wrong, Severity.ok)
    assert any("not allowed in namespace prose" in line for line in found(wrong, Severity.problem))


def test_the_command(serve: Serve) -> None:
    server = serve()
    for overrides, status, last in (
        ([], 0, "ready: no problem found"),
        (["cluster.host=http://127.0.0.1:1"], 1, "1 problem to fix before a run can succeed"),
        (["cluster.ca_file=nowhere.pem"], 1, "1 problem to fix before a run can succeed"),
    ):
        arguments = [part for one in [f"cluster.host={server.address}", *overrides] for part in ("--set", one)]
        result = CliRunner().invoke(app, ["doctor", *arguments])
        assert result.exit_code == status and result.output.splitlines()[-1] == last, result.output
        assert all(line.split()[0] in list(Severity) for line in result.output.splitlines()[:-1])


def test_all_problems_of_an_empty_profile_are_reported(profile: Make) -> None:
    lines = found(load_profile("base").profile, Severity.problem)
    beginnings = ("cluster.host: no cluster is set", "no model registry is set", "no signing key is set")
    assert [line.startswith(beginning) for line, beginning in zip(lines, beginnings, strict=True)] == [True] * 3
