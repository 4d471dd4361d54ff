"""Tests of the local server's ports, lock and start-up errors. tests/e2e/test_serve.py runs the whole server.

tests/security/test_dying_programs.py kills its programs.
"""

import json
import os
import socket
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.folder_lock import LOCK_FILE, locked_folder
from robo_poet.settings.canary import CanarySettings
from robo_poet.settings.serve import ServeSettings
from serving.local import _controller, _gateway, _metrics, _model_server, _model_sync, _port_or_any, serving


def test_a_port_in_use_is_replaced_by_any_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert _port_or_any(port) == 0
    assert _port_or_any(port) == port


def test_a_restart_takes_the_addresses_of_the_run_before(tmp_path: Path) -> None:
    model_server = _model_server(tmp_path, tmp_path / "models.config", (0, 0), compiled=False)
    first = model_server.arguments({})
    lines = {
        "model_server": "model_server: ready http 127.0.0.1:4321 grpc 127.0.0.1:4320",
        "gateway": "gateway: ready http://127.0.0.1:4322",
    }
    again = model_server.arguments(lines)
    assert {"--port=0", "--rest_api_port=0"} <= set(first) and {"--port=4320", "--rest_api_port=4321"} <= set(again)

    sync = _model_sync(tmp_path, ServeSettings(deadline_seconds=20, look_seconds=1, signature="generate"))
    assert {"--model-server=http://127.0.0.1:4321", "--grace-seconds=24", "--signature=generate"} <= set(
        sync.arguments(lines)
    ) and sync.tells

    metrics = [program.arguments(lines)[-1] for program in (sync, _model_sync(tmp_path, ServeSettings(), fixed=True))]
    assert metrics[0] == "--metrics-port=0" and metrics[1] in ("--metrics-port=9467", "--metrics-port=0")  # 0 if it is in use

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    lines |= {name: f"{name}: ready, metrics at http://127.0.0.1:{port}/metrics" for name in ("model_sync", "canary")}
    controller = _controller(tmp_path, tmp_path / "registry", ServeSettings(), CanarySettings())
    assert [program.arguments(lines)[-1] for program in (sync, controller)] == [f"--metrics-port={port}", f"--metrics_port={port}"]
    assert _metrics(lines) == {
        "canary": f"http://127.0.0.1:{port}/metrics", "gateway": "http://127.0.0.1:4322/metrics",
        "model_server": "http://127.0.0.1:4321/monitoring/prometheus/metrics", "model_sync": f"http://127.0.0.1:{port}/metrics",
    }  # fmt: skip

    gateway = _gateway(tmp_path, ServeSettings(port=0))
    gateway.arguments({"model_server": lines["model_server"]})
    written = (tmp_path / "gateway.json").read_text()
    assert '"port": 0' in written and '"model_server": "http://127.0.0.1:4321"' in written
    gateway.arguments(lines)
    assert '"port": 4322' in (tmp_path / "gateway.json").read_text()


def test_all_programs_that_read_the_registry_trust_the_same_keys(tmp_path: Path) -> None:
    settings = ServeSettings(trusted_keys=("MFkw ada", "keys.txt"))
    ready = {"model_server": "model_server: ready http 127.0.0.1:4321 grpc 127.0.0.1:4320"}
    for program in (_model_sync(tmp_path, settings), _controller(tmp_path, tmp_path / "registry", settings, CanarySettings())):
        assert [word for word in program.arguments(ready) if "key" in word] == ["--trusted-key=MFkw ada", "--trusted-key=keys.txt"]
    _gateway(tmp_path, settings).arguments(ready)
    assert json.loads((tmp_path / "gateway.json").read_text())["trusted_keys"] == ["MFkw ada", "keys.txt"]


def test_without_a_champion_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="champion"), serving(ServeSettings(port=0), tmp_path / "registry", tmp_path / "serve"):
        pass
    assert not (tmp_path / "serve" / "keys").exists()


def test_a_port_in_use_names_the_variable_before_a_program_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BadInput) as error, serving(ServeSettings(port=port), tmp_path / "registry", tmp_path / "serve"):
            raise AssertionError("unreachable")
    assert str(error.value).startswith(f"127.0.0.1:{port}: the address cannot be used (address already in use); take a free port: make ")
    assert "MODEL=shakespeare PORT=0" in str(error.value) and "serve --model shakespeare --port 0" in str(error.value)
    assert [path.name for path in (tmp_path / "serve").iterdir()] == [LOCK_FILE]


def test_a_folder_in_use_names_its_server_and_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "serve"
    with locked_folder(folder, "") as lock:
        lock.describe("http://127.0.0.1:8080")
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(BadInput) as error, serving(ServeSettings(port=0), tmp_path / "registry", folder):
            raise AssertionError("unreachable")
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert f"{folder}: another server uses this folder (process {os.getpid()} at http://127.0.0.1:8080); stop it, or " in str(error.value)
    assert f"serve --model shakespeare --folder {folder}2 --port 0" in str(error.value)
