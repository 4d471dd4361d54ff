"""The server as a process: TensorFlow Serving's own client stubs and plain HTTP are what it is talked to with."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from robo_poet.registry.registry import Registry
from serving.model_server.config import read_config
from serving.model_server.serving_folder import lay_out
from tests.serving.model_server.conftest import Server, completion

PATH = "/v1/models/robo-poet"
Start = Callable[..., Server]


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that a server does by itself."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def config(registry: Registry, tmp_path: Path) -> Path:
    return lay_out(registry, tmp_path / "models")


@pytest.fixture
def plain_config(registry: Registry, tmp_path: Path) -> Path:
    """For a server without XLA: its warm-up requests are those of the plain form."""
    return lay_out(registry, tmp_path / "plain", xla=False)


def arguments(config: Path, *more: str) -> list[str]:
    return [f"--model_config_file={config}", "--model_config_file_poll_wait_seconds=0.2", "--xla_cpu_compilation_enabled=true", *more]


def test_rest_and_grpc_give_the_same_tokens_and_the_same_errors(config: Path, start: Start) -> None:
    server = start(*arguments(config))
    answers = server.call(f"{PATH}:predict", signature_name="generate", instances=[completion(1), completion(2, 5)])
    assert answers.status_code == 200
    rows = answers.json()["predictions"]
    assert [row["length"] for row in rows] == [8, 5] and set(rows[0]) == {"tokens", "length", "log_prob", "stop_reason"}

    # each alone, by another door, compiled or not: the same text
    for seed, new, row in ((1, 8, rows[0]), (2, 5, rows[1])):
        for path, signature in (
            (f"{PATH}/versions/1:predict", "generate_xla"),
            (f"{PATH}/labels/stable:predict", ""),
            (f"{PATH}:predict", "generate"),
        ):
            columns = {name: [value] for name, value in completion(seed, new).items()}
            found = server.call(path, signature_name=signature, inputs=columns).json()["outputs"]
            assert found["tokens"][0] == row["tokens"][:new]

    channel = grpc.insecure_channel(server.grpc)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.version_label, request.model_spec.signature_name = "robo-poet", "stable", "generate"
    kinds = {"temperature": np.float32, "top_p": np.float32, "repetition_penalty": np.float32, "seed": np.int64}
    for name, value in completion(1).items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(np.asarray([value], kinds.get(name, np.int32))))
    answer = stub.Predict(request, timeout=60)
    assert answer.model_spec.version.value == 1
    assert tf.make_ndarray(answer.outputs["tokens"])[0].tolist() == rows[0]["tokens"]

    request.inputs["max_new"].CopyFrom(tf.make_tensor_proto(np.asarray([0], np.int32)))
    request.inputs["min_new"].CopyFrom(tf.make_tensor_proto(np.asarray([0], np.int32)))
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(request, timeout=60)
    wrong = server.call(f"{PATH}:predict", signature_name="generate", instances=[{**completion(), "max_new": 0, "min_new": 0}])
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT and wrong.status_code == 400
    assert (
        refused.value.details() == wrong.json()["error"] == "max_new: must be at least 1 and at least min_new; min_new must be at least 0"
    )

    request.model_spec.version.value = 9
    with pytest.raises(grpc.RpcError) as missing:
        stub.Predict(request, timeout=60)
    assert missing.value.code() is grpc.StatusCode.NOT_FOUND
    del request.inputs["seed"]
    request.model_spec.version.value = 1
    with pytest.raises(grpc.RpcError, match="the inputs must be banned_tokens"):
        stub.Predict(request, timeout=60)

    described = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    described.model_spec.name = "robo-poet"
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert stub.GetModelMetadata(described, timeout=60).metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["generate"].inputs["prompt"].dtype == tf.int32.as_datatype_enum
    assert set(server.call(f"{PATH}/metadata").json()["metadata"]["signature_def"]["signature_def"]) >= {
        "generate",
        "score",
        "generate_xla",
    }
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "robo-poet"
    state = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status, timeout=60).model_version_status
    assert [(one.version, one.state) for one in state] == [(1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)]
    channel.close()

    for path, given, code, told in (
        ("/v1/models/none:predict", {"instances": [completion()]}, 404, "Servable not found for request: Latest(none)"),
        (f"{PATH}/labels/canary:predict", {"instances": [completion()]}, 400, "Unrecognized servable version label: canary"),
        (f"{PATH}:predict", {"signature_name": "sing", "instances": [completion()]}, 400, "'sing' not found in signature def"),
        (f"{PATH}:classify", {"examples": []}, 404, "Malformed request"),
        (f"{PATH}/versions/9", {}, 404, "Could not find version 9 of model robo-poet"),
    ):
        found = server.call(path, **given)
        assert found.status_code == code and told in found.json()["error"]
    for method, path in (("PUT", f"{PATH}:predict"), ("GET", "/v2/nothing"), ("POST", "/monitoring/prometheus/metrics")):
        found = httpx.request(method, f"{server.http}{path}", timeout=60)
        assert found.status_code == 404 and found.json() == {"error": f"Malformed request: {method} {path}"}
    page = server.call("/monitoring/prometheus/metrics").text
    assert 'code="INVALID_ARGUMENT",model_name="robo-poet",version="1"} 3.0' in page  # two of them by gRPC, one by REST
    assert 'robo_poet_model_server_requests_total{code="OK",model_name="robo-poet",version="1"}' in page
    assert 'robo_poet_model_server_requests_total{code="NOT_FOUND",model_name="other",version="other"} 1.0' in page
    assert server.end() == 0


def test_a_promotion_reaches_readers_without_one_failed_call(registry: Registry, config: Path, start: Start) -> None:
    server = start(*arguments(config))
    stop, failed, served = time.monotonic() + 60, [], set()
    done = False

    def traffic() -> None:
        number = 0
        while not done and time.monotonic() < stop:
            number += 1
            found = server.call(f"{PATH}/labels/stable:predict", signature_name="generate_xla", instances=[completion(number)])
            if found.status_code != 200:
                failed.append(found.text)

    def versions() -> dict[str, str]:
        states = server.call(PATH).json()["model_version_status"]
        return {one["version"]: one["state"] for one in states}

    with ThreadPoolExecutor(2) as pool:
        driver = pool.submit(traffic)
        registry.start_canary(2, who="test", why="to be tried")
        lay_out(registry, config.parent)
        eventually(lambda: server.call(f"{PATH}/labels/canary").status_code == 200)
        assert versions() == {"1": "AVAILABLE", "2": "AVAILABLE"}
        registry.promote(2, who="test", why="better")
        lay_out(registry, config.parent)
        eventually(lambda: versions() == {"1": "END", "2": "AVAILABLE"})
        served.add(server.call(f"{PATH}/labels/stable").json()["model_version_status"][0]["version"])
        config.write_text("model_config_list {")  # half a file, as by a bad editor
        eventually(lambda: "the previous configuration stays in use" in server.said())
        done = True
        driver.result(60)
    assert failed == [] and served == {"2"}
    assert server.call(f"{PATH}/labels/stable:predict", instances=[completion()]).status_code == 200


def test_a_reload_by_grpc(plain_config: Path, start: Start) -> None:
    server = start(f"--model_config_file={plain_config}")
    with grpc.insecure_channel(server.grpc) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        request = model_management_pb2.ReloadConfigRequest()
        one = request.config.model_config_list.config.add(name="robo-poet", model_platform="tensorflow")
        one.base_path = str(read_config(plain_config)["robo-poet"].base)
        one.version_labels["other"] = 1
        assert stub.HandleReloadConfigRequest(request, timeout=60).status.error_code == 0
        assert server.call(f"{PATH}/labels/other").status_code == 200
        one.base_path = "/nowhere"
        assert "the base_path does not exist" in stub.HandleReloadConfigRequest(request, timeout=60).status.error_message
    assert server.call(f"{PATH}/labels/other").status_code == 200
    compiled = server.call(f"{PATH}:predict", signature_name="generate_xla", instances=[completion()])
    assert compiled.status_code == 400 and "start it with --xla_cpu_compilation_enabled=true" in compiled.json()["error"]


def test_overload_is_shed_deadlines_hold_and_a_term_lets_what_runs_finish(config: Path, start: Start, tmp_path: Path) -> None:
    limits = tmp_path / "batching.config"
    limits.write_text("max_batch_size { value: 2 } max_enqueued_batches { value: 1 } num_batch_threads { value: 1 }")
    server = start(*arguments(config, f"--batching_parameters_file={limits}"))
    server.call(f"{PATH}:predict", signature_name="generate", instances=[completion()])

    async def crowd() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=40)) as client:
            body = {"signature_name": "generate", "instances": [completion(new=400)]}
            calls = [client.post(f"{server.http}{PATH}:predict", json=body) for _ in range(24)]
            hurried = client.post(f"{server.http}{PATH}:predict", json=body, headers={"X-Deadline-Ms": "1"})
            return await asyncio.gather(*calls, hurried)

    *answers, hurried = asyncio.run(crowd())
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 503} and codes.count(200) >= 2  # one runs and two wait, of whom one may be the hurried one
    assert all(
        answer.headers["Retry-After"] == "1" and "queue is full" in answer.json()["error"]
        for answer in answers
        if answer.status_code == 503
    )
    assert hurried.status_code in (503, 504)
    assert server.call(f"{PATH}:predict", signature_name="generate", instances=[completion()]).status_code == 200

    with ThreadPoolExecutor(1) as pool:
        last = pool.submit(server.call, f"{PATH}:predict", signature_name="generate", instances=[completion(new=500)])
        eventually(lambda: last.running())
        time.sleep(0.1)  # it is on its way by then, or already answered
        assert server.end() == 0
        assert last.result(60).status_code == 200


def test_what_cannot_be_served_is_one_line(tmp_path: Path) -> None:
    def said(*words: str) -> str:
        done = subprocess.run([sys.executable, "-m", "serving.model_server", *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        return done.stderr.strip().splitlines()[-1]

    assert said("--model_config_file=/no/such") == "error: /no/such: no such file"
    (tmp_path / "1").mkdir()
    nothing = said(f"--model_base_path={tmp_path}", "--port=0", "--rest_api_port=0")
    assert nothing == "error: default: no version could be loaded; the log lines above name the reasons"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "the address cannot be used" in said(f"--model_base_path={tmp_path}", "--port=0", f"--rest_api_port={port}")


def test_a_version_that_is_damaged_is_said_and_the_others_serve(plain_config: Path, start: Start, tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "2").mkdir(parents=True)
    (base / "2" / "saved_model.pb").write_bytes(b"\xff\xff")
    (base / "1").symlink_to(plain_config.parent / "robo-poet" / "1")
    (tmp_path / "both").write_text(
        f'model_config_list {{ config {{ name: "m" base_path: "{base}" model_platform: "tensorflow" model_version_policy {{ all {{}} }} }} }}'
    )
    server = start(f"--model_config_file={tmp_path / 'both'}")
    states: dict[str, Any] = {one["version"]: one for one in server.call("/v1/models/m").json()["model_version_status"]}
    assert states["1"]["state"] == "AVAILABLE" and states["2"]["state"] == "END" and states["2"]["status"]["error_message"]
    assert server.call("/v1/models/m:predict", instances=[completion()]).status_code == 200
