"""What Kubeflow's API server checks of an uploaded package and of a run's parameters (backend/src/apiserver/template/v2_template.go)."""

import email.parser
import email.policy
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

KINDS: dict[str, Any] = {
    "STRING": str, "NUMBER_INTEGER": (int, float), "NUMBER_DOUBLE": (int, float), "BOOLEAN": bool, "LIST": list, "STRUCT": dict,
}  # fmt: skip


class Refusal(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def uploaded(content_type: str, body: bytes) -> dict[str, Any]:
    """The two documents of a multipart upload, as Kubeflow unwraps them."""
    if not content_type.startswith("multipart/form-data; boundary="):
        raise Refusal(400, f"not multipart: {content_type}")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
    if set(parts) != {"uploadfile"}:
        raise Refusal(400, f"Failed to read pipeline from file: form fields {sorted(map(str, parts))}")
    if not str(parts["uploadfile"].get_filename()).endswith((".yaml", ".yml", ".zip", ".tar.gz")):
        raise Refusal(400, "unexpected pipeline file format")
    documents = list(yaml.safe_load_all(parts["uploadfile"].get_payload(decode=True)))
    if len(documents) != 2:
        raise Refusal(400, f"expected pipeline and platform, found {len(documents)} documents")
    pipeline, platform = documents
    spec = _parse(pipeline, pipeline_spec_pb2.PipelineSpec())
    if spec.schema_version != "2.1.0" or not spec.pipeline_info.name:
        raise Refusal(400, "KFP only supports schema version 2.1.0, and a pipeline with a name")
    _parse(platform, pipeline_spec_pb2.PlatformSpec())
    settings = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    if unknown := set(settings) - set(pipeline["deploymentSpec"]["executors"]):
        raise Refusal(400, f"platform settings for executors that are none: {sorted(unknown)}")
    for value in settings.values():
        _parse(value, kubernetes_executor_config_pb2.KubernetesExecutorConfig())
    return {"pipeline_spec": pipeline, "platform_spec": platform}


def check_parameters(spec: dict[str, Any], given: dict[str, Any]) -> None:
    """Names and types against the root's input definitions."""
    defined = spec["pipeline_spec"]["root"].get("inputDefinitions", {}).get("parameters", {})
    if extra := set(given) - set(defined):
        raise Refusal(400, f"parameters the pipeline does not have: {sorted(extra)}")
    for name, definition in defined.items():
        if name not in given:
            if "defaultValue" not in definition and not definition.get("isOptional"):
                raise Refusal(400, f"parameter {name} is not optional, yet has neither default value nor user provided value")
            continue
        kind = definition["parameterType"]
        if not isinstance(given[name], KINDS[kind]) or (kind != "BOOLEAN" and isinstance(given[name], bool)):
            raise Refusal(400, f"input parameter {name} requires type {kind}, but is {given[name]!r}")


def _parse(value: Any, message: Any) -> Any:
    try:
        return json_format.ParseDict(value, message)
    except json_format.ParseError as error:
        raise Refusal(400, f"invalid v2 pipeline spec: {error}") from None
