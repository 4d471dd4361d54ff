"""The server as a process: its start, promotions, overload and its end."""

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from robo_poet.errors import BadInput
from serving.model_server.__main__ import _bound_socket
from tests.serving.model_server.conftest import Server, arguments, completion, eventually

PATH = "/v1/models/shakespeare"
Start = Callable[..., Server]


def test_nagles_algorithm_is_off_for_accepted_connections() -> None:
    with _bound_socket("127.0.0.1", 0) as listener:
        with pytest.raises(ConnectionRefusedError):  # until the models are loaded
            socket.create_connection(listener.getsockname())
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(BadInput, match=rf"127.0.0.1:{port}: the address cannot be used \(Address already in use\)"):
            _bound_socket("127.0.0.1", port)


def test_an_invalid_configuration_file_changes_nothing(plain_config: Path, start: Start) -> None:
    server = start(f"--model_config_file={plain_config}", "--model_config_file_poll_wait_seconds=0.2")
    plain_config.write_text("model_config_list {")  # half a file
    eventually(lambda: "the previous configuration stays in use" in server.log())
    assert server.call(f"{PATH}/labels/stable:predict", instances=[completion()]).status_code == 200


@pytest.fixture
def narrow_server(config: Path, start: Start, tmp_path: Path) -> Server:
    """A server with one thread and a queue of one batch of two rows, after its first call."""
    limits = tmp_path / "batching.config"
    limits.write_text("max_batch_size { value: 2 } max_enqueued_batches { value: 1 } num_batch_threads { value: 1 }")
    server = start(*arguments(config, f"--batching_parameters_file={limits}"))
    server.call(f"{PATH}:predict", signature_name="generate", instances=[completion()])
    return server


async def _crowd(server: Server, calls: int, hurried: int = 0) -> list[httpx.Response]:
    """Send calls at the same time, and then calls whose deadline is 1 ms."""
    body = {"signature_name": "generate", "instances": [completion(new=400)]}
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=40)) as client:
        requests = [client.post(f"{server.http}{PATH}:predict", json=body) for _ in range(calls)]
        late = [client.post(f"{server.http}{PATH}:predict", json=body, headers={"X-Deadline-Ms": "1"}) for _ in range(hurried)]
        return await asyncio.gather(*requests, *late)


def test_calls_beyond_the_queue_are_refused(narrow_server: Server) -> None:
    answers = asyncio.run(_crowd(narrow_server, 24))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503} and statuses.count(200) >= 2  # one runs, and a batch of two waits
    assert all(
        answer.headers["Retry-After"] == "1" and "queue is full" in answer.json()["error"]
        for answer in answers
        if answer.status_code == 503
    )


def test_a_deadline_of_the_client_holds(narrow_server: Server) -> None:
    first, hurried = asyncio.run(_crowd(narrow_server, 1, hurried=1))
    assert first.status_code == 200 and hurried.status_code == 504
    assert narrow_server.call(f"{PATH}:predict", signature_name="generate", instances=[completion()]).status_code == 200


def test_sigterm_lets_received_calls_finish(narrow_server: Server) -> None:
    body = {"signature_name": "generate", "instances": [completion(new=500)]}
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(narrow_server.call, f"{PATH}:predict", **body) for _ in range(2)]
        both = re.compile(r"^robo_poet_model_server_requests_in_progress 2", re.MULTILINE)  # the server has received them
        eventually(lambda: both.search(narrow_server.call("/monitoring/prometheus/metrics").text) or any(call.done() for call in calls))
        assert narrow_server.end() == 0
        assert [call.result(60).status_code for call in calls] == [200, 200]


def failed_start(*words: str) -> str:
    """Return the last line of a server that does not start."""
    return failed_log(*words)[-1]


def failed_log(*words: str) -> list[str]:
    done = subprocess.run([sys.executable, "-m", "serving.model_server", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()


def test_a_missing_configuration_file_is_an_error() -> None:
    assert failed_start("--model_config_file=/no/such") == "error: /no/such: no such file"


def test_a_server_without_any_loaded_version_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    tmp_path.chmod(0o777)
    *before, line = failed_log(f"--model_base_path={tmp_path}", "--port=0", "--rest_api_port=0")
    assert f"model_server: warning: {tmp_path}: other users can write to the model folder; run chmod 755 {tmp_path}" in before
    assert line == "error: default: no version could be loaded; the log lines above name the reasons"


def test_a_server_does_not_start_on_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "the address cannot be used" in failed_start(f"--model_base_path={tmp_path}", "--port=0", f"--rest_api_port={port}")


def test_a_damaged_version_is_reported_and_the_others_serve(plain_config: Path, start: Start, tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "2").mkdir(parents=True)
    (base / "2" / "saved_model.pb").write_bytes(b"\xff\xff")
    (base / "1").symlink_to(plain_config.parent / "shakespeare" / "1")
    (tmp_path / "both").write_text(
        f'model_config_list {{ config {{ name: "m" base_path: "{base}" model_platform: "tensorflow" model_version_policy {{ all {{}} }} }} }}'
    )
    server = start(f"--model_config_file={tmp_path / 'both'}")
    statuses: dict[str, Any] = {status["version"]: status for status in server.call("/v1/models/m").json()["model_version_status"]}
    assert statuses["1"]["state"] == "AVAILABLE" and statuses["2"]["state"] == "END" and statuses["2"]["status"]["error_message"]
    assert server.call("/v1/models/m:predict", instances=[completion()]).status_code == 200
