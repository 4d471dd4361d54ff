"""The example for Kubernetes names options that both programs have, and mounts what they read."""

from pathlib import Path
from typing import Any

import yaml

from serving.model_server.batching import read_batching
from serving.model_server.config import parse_flags as model_server_flags
from serving.model_sync.__main__ import parse_flags as model_sync_flags

SERVING = Path(__file__).parents[2] / "infra" / "serving"


def test_the_sidecar_and_the_model_server_use_one_folder() -> None:
    pod: dict[str, Any] = yaml.safe_load((SERVING / "kubernetes.yaml").read_text())["spec"]["template"]["spec"]
    [sidecar], [server] = pod["initContainers"], pod["containers"]
    sync, flags = model_sync_flags(sidecar["args"]), model_server_flags(server["args"])
    assert sidecar["restartPolicy"] == "Always" and sidecar["command"] == ["python", "-m", "serving.model_sync"]
    assert flags.model_config_file.parent == sync.folder and sync.model_server == f"http://127.0.0.1:{flags.rest_api_port}"
    assert sidecar["startupProbe"]["exec"]["command"][-1] == str(sync.ready_file)
    assert sync.grace_seconds >= 32 + flags.model_config_file_poll_wait_seconds  # deadline and interval of a gateway
    assert flags.allow_version_labels_for_unavailable_models and flags.xla_cpu_compilation_enabled == (sync.signature == "generate_xla")
    mounts = [{mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]} for container in (sidecar, server)]
    assert mounts[0]["models"] == mounts[1]["models"] == str(sync.folder)
    assert {name for mount in mounts for name in mount} == {volume["name"] for volume in pod["volumes"]}
    assert (
        flags.batching_parameters_file.parent == Path(mounts[1]["batching"]) and (SERVING / flags.batching_parameters_file.name).is_file()
    )
    read_batching(SERVING / flags.batching_parameters_file.name)
