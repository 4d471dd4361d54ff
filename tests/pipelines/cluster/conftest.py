"""A Kubeflow on the loopback, and a profile that is ready for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipelines.compile import compile_training
from pipelines.profile.load import Profile, load_profile
from tests.pipelines.cluster.kubeflow_server import Kubeflow

TRUSTED = "cluster.trusted_keys=['MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5QgK54NMiSKEO72SrAcndthY2O0MEi0Sey6N7TpTvvS4CchZvCed8zW6WxzCkYRCBD1gO+d/I8kxRMjffmp00A== ada']"
TOKEN = "a-token-that-is-nowhere-to-be-seen"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOST", "UI", "NAMESPACE", "EXPERIMENT", "PIPELINE_ROOT", "CA_FILE", "TOKEN", "TOKEN_FILE"):
        monkeypatch.delenv(f"ROBO_POET_CLUSTER_{name}", raising=False)
    monkeypatch.setattr("kfp.client.client.Client._LOCAL_KFP_CONTEXT", str(tmp_path / "no-context.json"))


@pytest.fixture
def serve() -> Iterator[Callable[..., Kubeflow]]:
    """Start a Kubeflow; after the test, no call to it may have been wrong in itself."""
    with ExitStack() as stack:
        servers: list[Kubeflow] = []

        def start(**options: Any) -> Kubeflow:
            servers.append(stack.enter_context(Kubeflow(**options)))
            return servers[-1]

        yield start
        for server in servers:
            assert server.faults == []


@pytest.fixture
def profile() -> Callable[..., Profile]:
    """The rtx profile, with images from somewhere and `--set` on top."""

    def make(*overrides: str) -> Profile:
        base = ["cluster.image_prefix=images.example.org/poets", "cluster.pipeline_root=gs://poets/runs", TRUSTED]
        return load_profile("rtx", [*base, *overrides]).profile

    return make


@pytest.fixture(scope="session")
def ir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("ir") / "training.yaml"
    compile_training(load_profile("rtx").profile, target)
    return target
