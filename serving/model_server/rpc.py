"""TensorFlow Serving's gRPC services: PredictionService and ModelService."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from robo_poet.errors import BadInput
from serving.model_server.calls import predict, signature_map
from serving.model_server.config import ModelConfig, from_proto
from serving.model_server.errors import CallError, Code
from serving.model_server.json_codec import Spec
from serving.model_server.metrics import ServerMetrics
from serving.model_server.servable import DEFAULT_SIGNATURE
from serving.model_server.versions import LoadedVersions

MESSAGE_BYTES = 64 << 20


def _model_and_version(spec: Any) -> tuple[str, int | None, str | None]:
    """Return the model name, version number and version label of a `ModelSpec`."""
    choice = spec.WhichOneof("version_choice")
    return spec.name, spec.version.value if choice == "version" else None, spec.version_label if choice == "version_label" else None


def _arrays(inputs: Mapping[str, Any], specs: Mapping[str, Spec]) -> dict[str, Any]:
    if inputs.keys() != specs.keys():
        raise CallError(Code.INVALID_ARGUMENT, f"the inputs must be {', '.join(sorted(specs))}, not {', '.join(sorted(inputs))[:200]}")
    try:
        arrays = {name: tf.make_ndarray(value) for name, value in inputs.items()}
    except (ValueError, TypeError) as error:
        raise CallError(Code.INVALID_ARGUMENT, f"a tensor cannot be read ({error})") from None
    for name, spec in specs.items():
        if arrays[name].dtype != spec.dtype.as_numpy_dtype or arrays[name].ndim != spec.shape.rank:
            raise CallError(Code.INVALID_ARGUMENT, f"{name}: must be {spec.dtype.name} with {spec.shape.rank} dimensions")
    return arrays


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The PredictionService, with Predict and GetModelMetadata."""

    def __init__(self, versions: LoadedVersions, metrics: ServerMetrics) -> None:
        self._versions, self._metrics = versions, metrics

    async def Predict(self, request: Any, context: Any) -> Any:
        name, number, label = _model_and_version(request.model_spec)
        try:
            timeout = context.time_remaining()
            version, result = await predict(
                self._versions,
                self._metrics,
                name,
                number,
                label,
                request.model_spec.signature_name,
                lambda specs: _arrays(request.inputs, specs),
                timeout,
            )
        except CallError as error:
            await context.abort(grpc.StatusCode[error.code.name], error.message)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = name
        response.model_spec.version.value = version
        response.model_spec.signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        for key, value in result.items():
            if not request.output_filter or key in request.output_filter:
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        name, number, label = _model_and_version(request.model_spec)
        try:
            chosen = self._versions.choose(name, number, label)
        except CallError as error:
            await context.abort(grpc.StatusCode[error.code.name], error.message)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = name
        response.model_spec.version.value = chosen.number
        packed = any_pb2.Any()
        packed.Pack(signature_map(chosen))
        response.metadata["signature_def"].CopyFrom(packed)
        return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """The ModelService, with GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, versions: LoadedVersions, apply: Any) -> None:
        self._versions, self._apply = versions, apply

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        try:
            statuses = self._versions.statuses(*_model_and_version(request.model_spec))
        except CallError as error:
            await context.abort(grpc.StatusCode[error.code.name], error.message)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, status in statuses.items():
            state = get_model_status_pb2.ModelVersionStatus.State.Value(str(status.state))
            entry = response.model_version_status.add(version=number, state=state)
            if status.error:
                entry.status.error_code, entry.status.error_message = 2, status.error  # UNKNOWN
        return response

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        response = model_management_pb2.ReloadConfigResponse()
        try:
            models: dict[str, ModelConfig] = from_proto(request.config, "config")
            missing = [name for name, config in models.items() if not Path(config.base).is_dir()]
            if missing:
                raise BadInput("the base_path does not exist", where=missing[0])
            await self._apply(models)
        except BadInput as error:
            response.status.error_code, response.status.error_message = 3, str(error)  # INVALID_ARGUMENT
        return response


def make_server(versions: LoadedVersions, metrics: ServerMetrics, apply: Any, address: str, credentials: Any = None) -> tuple[Any, int]:
    """Create a gRPC server without starting it. Returns the server and its port.

    Args:
        apply: applies a new configuration (models by name).
        address: `host:port`; port 0 selects a free port.
        credentials: the server's TLS credentials; None for plain text.

    Raises:
        BadInput: the address cannot be used.
    """
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.so_reuseport", 0)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(versions, metrics), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(versions, apply), server)
    try:
        return server, server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError:
        raise BadInput("the address cannot be used", where=address, remedy="choose another with --port") from None
