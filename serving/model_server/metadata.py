"""Model metadata: inputs and outputs of each signature, in TensorFlow Serving's format."""

from typing import Any, cast

import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.model_server.servable import Servable
from serving.model_server.versions import Chosen


def _info(name: str, spec: tf.TensorSpec) -> meta_graph_pb2.TensorInfo:
    info = meta_graph_pb2.TensorInfo(name=name, dtype=spec.dtype.as_datatype_enum)
    info.tensor_shape.CopyFrom(spec.shape.as_proto())
    return info


def signature_map(chosen: Chosen) -> get_model_metadata_pb2.SignatureDefMap:
    """Return all signatures of a version with their inputs and outputs."""
    servable = cast(Servable, chosen.servable)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name in servable.signatures:
        signature = signatures.signature_def[name]
        signature.method_name = "tensorflow/serving/predict"
        for tensors, specs in ((signature.inputs, servable.signatures[name].structured_input_signature[1]),
                            (signature.outputs, servable.signatures[name].structured_outputs)):  # fmt: skip
            for key, spec in specs.items():
                tensors[key].CopyFrom(_info(key, spec))
    return signatures


def metadata_json(model: str, chosen: Chosen) -> dict[str, Any]:
    """Return the metadata of a version as the JSON object of the REST API."""
    signatures = json_format.MessageToDict(signature_map(chosen), preserving_proto_field_name=True)
    spec = {"name": model, "signature_name": "", "version": str(chosen.number)}
    return {"model_spec": spec, "metadata": {"signature_def": signatures}}
