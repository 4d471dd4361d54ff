"""Model configuration: versions to serve and their labels, from TensorFlow Serving's `--model_config_file`, a text protobuf."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from robo_poet.errors import BadInput


@dataclass(frozen=True)
class ModelConfig:
    """The configuration of one model.

    Attributes:
        base: folder of the versions; each subfolder is named by its version number.
        versions: version numbers to serve. If empty, the newest `latest` versions are served.
        latest: number of newest versions to serve; 0 means all.
        labels: label → version number.
    """

    base: Path
    versions: tuple[int, ...] = ()
    latest: int = 1
    labels: Mapping[str, int] = field(default_factory=dict)

    def wanted(self) -> dict[int, Path]:
        """Return the folder of each version to serve. Versions without a folder are left out."""
        if not self.base.is_dir():
            return {}
        folders = {int(path.name): path for path in self.base.iterdir() if path.name.isascii() and path.name.isdigit() and path.is_dir()}
        if self.versions:
            return {number: folders[number] for number in self.versions if number in folders}
        newest = sorted(folders)[-self.latest :] if self.latest else sorted(folders)
        return {number: folders[number] for number in newest}


def parse_config(text: str, where: str) -> dict[str, ModelConfig]:
    """Parse a configuration text and return the models by name.

    Raises:
        BadInput: the text is not a `ModelServerConfig`, or it needs something else than SavedModels in folders.
    """
    try:
        parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise BadInput(f"no model configuration ({error})", where=where) from None
    return from_proto(parsed, where)


def from_proto(parsed: model_server_config_pb2.ModelServerConfig, where: str) -> dict[str, ModelConfig]:
    """Convert a `ModelServerConfig` message, as a gRPC reload request sends it, to the models by name.

    Raises:
        BadInput: as for `parse_config`.
    """
    if parsed.WhichOneof("config") != "model_config_list":
        raise BadInput("there is no model_config_list", where=where)
    models: dict[str, ModelConfig] = {}
    for model in parsed.model_config_list.config:
        if not model.name or not model.base_path or model.name in models:
            raise BadInput("each model has a name of its own and a base_path", where=f"{where}: {model.name or 'a model'}")
        if model.model_platform not in ("", "tensorflow"):
            raise BadInput(f"model_platform {model.model_platform!r} is not served", where=f"{where}: {model.name}")
        policy = model.model_version_policy
        kind = policy.WhichOneof("policy_choice")
        latest = 0 if kind == "all" else max(1, policy.latest.num_versions) if kind == "latest" else 1
        versions = tuple(policy.specific.versions) if kind == "specific" else ()
        models[model.name] = ModelConfig(Path(model.base_path), versions, latest, dict(model.version_labels))
    return models


def read_config(path: Path) -> dict[str, ModelConfig]:
    """Read a model configuration file.

    Raises:
        BadInput: the file cannot be read or has a wrong form.
    """
    try:
        return parse_config(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read ({error})", where=str(path)) from None
