"""The gRPC services of a running server, called with TensorFlow Serving's own client stubs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
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

from serving.model_server.config import read_config
from tests.serving.model_server.conftest import Server, completion

PATH = "/v1/models/shakespeare"
DTYPES = {"temperature": np.float32, "top_p": np.float32, "repetition_penalty": np.float32, "seed": np.int64}


@pytest.fixture(scope="module")
def channel(shared_server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(shared_server.grpc) as opened:
        yield opened


@pytest.fixture
def stub(channel: grpc.Channel) -> Any:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture
def request_() -> Any:
    """A predict request for one completion, by the label `stable`."""
    message = predict_pb2.PredictRequest()
    message.model_spec.name, message.model_spec.version_label, message.model_spec.signature_name = "shakespeare", "stable", "generate"
    for name, value in completion(1).items():
        message.inputs[name].CopyFrom(tf.make_tensor_proto(np.asarray([value], DTYPES.get(name, np.int32))))
    return message


def test_predict_gives_the_tokens_of_the_rest_api(stub: Any, request_: Any, shared_server: Server) -> None:
    rest = shared_server.call(f"{PATH}:predict", signature_name="generate", instances=[completion(1)]).json()["predictions"]
    answer = stub.Predict(request_, timeout=60)
    assert answer.model_spec.version.value == 1
    assert tf.make_ndarray(answer.outputs["tokens"])[0].tolist() == rest[0]["tokens"]


def test_the_default_signature_is_named_in_the_answer(stub: Any, request_: Any) -> None:
    request_.model_spec.signature_name = ""
    assert stub.Predict(request_, timeout=60).model_spec.signature_name == "serving_default"


def test_an_invalid_value_has_the_error_of_the_rest_api(stub: Any, request_: Any, shared_server: Server) -> None:
    for name in ("max_new", "min_new"):
        request_.inputs[name].CopyFrom(tf.make_tensor_proto(np.asarray([0], np.int32)))
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(request_, timeout=60)
    wrong = shared_server.call(f"{PATH}:predict", signature_name="generate", instances=[{**completion(), "max_new": 0, "min_new": 0}])
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == wrong.json()["error"]


def test_an_unknown_version_is_not_found(stub: Any, request_: Any) -> None:
    request_.model_spec.version.value = 9
    with pytest.raises(grpc.RpcError) as missing:
        stub.Predict(request_, timeout=60)
    assert missing.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_missing_input_is_refused(stub: Any, request_: Any) -> None:
    del request_.inputs["seed"]
    with pytest.raises(grpc.RpcError, match="the inputs must be banned_tokens") as refused:
        stub.Predict(request_, timeout=60)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_metadata_has_the_signatures(stub: Any) -> None:
    described = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    described.model_spec.name = "shakespeare"
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert stub.GetModelMetadata(described, timeout=60).metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["generate"].inputs["prompt"].dtype == tf.int32.as_datatype_enum


def test_the_status_lists_the_loaded_version(channel: grpc.Channel) -> None:
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "shakespeare"
    states = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status, timeout=60).model_version_status
    assert [(state.version, state.state) for state in states] == [(1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)]


def test_a_reload_applies_labels_and_refuses_a_missing_base_path(plain_config: Path, start: Callable[..., Server]) -> None:
    server = start(f"--model_config_file={plain_config}")
    with grpc.insecure_channel(server.grpc) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        request = model_management_pb2.ReloadConfigRequest()
        model = request.config.model_config_list.config.add(name="shakespeare", model_platform="tensorflow")
        model.base_path = str(read_config(plain_config)["shakespeare"].base)
        model.version_labels["other"] = 1
        assert stub.HandleReloadConfigRequest(request, timeout=60).status.error_code == 0
        assert server.call(f"{PATH}/labels/other").status_code == 200
        model.base_path = "/nowhere"
        assert "the base_path does not exist" in stub.HandleReloadConfigRequest(request, timeout=60).status.error_message
    assert server.call(f"{PATH}/labels/other").status_code == 200
