"""Configuration of the server: the command line and the model configuration file.

The flags have the names of `tensorflow_model_server`, so the same arguments work for both. The file is TensorFlow Serving's
`--model_config_file`, a text protobuf with the versions to serve and their labels.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from robo_poet.errors import BadInput, BadInputParser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a port from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    if not 0 <= (seconds := float(text)) <= 86400:  # argparse reports the ValueError of a text that is not a number
        raise argparse.ArgumentTypeError("must be 0 to 86400 seconds")
    return seconds


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError("must be true or false")
    return text.lower() in ("true", "1")


def parse_flags(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        BadInput: an argument is not valid, or not exactly one of configuration file and model folder is given.
    """
    parser = BadInputParser(prog="python -m serving.model_server", description="Serve exported models with TensorFlow Serving's protocol.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1; tensorflow_model_server listens on all)")
    add("--port", type=_port, default=8500, help="gRPC port; 0 chooses a free one (default 8500)")
    add("--rest_api_port", type=_port, default=8501, help="HTTP port; 0 chooses a free one (default 8501)")
    add("--ssl_config_file", type=Path, help="file with key and certificates, as text protobuf SSLConfig; encrypts gRPC and here also HTTP")
    add("--model_config_file", type=Path, help="file with models, versions and labels, as text protobuf")
    add(
        "--model_config_file_poll_wait_seconds",
        type=_seconds,
        default=0.0,
        help="seconds between two reads of the configuration file; 0 reads it only at the start",
    )
    add("--file_system_poll_wait_seconds", type=_seconds, default=1.0, help="seconds between two searches for new versions (default 1)")
    add("--model_name", default="default", help="name of the model, without a configuration file")
    add("--model_base_path", type=Path, help="folder of the model's versions, without a configuration file")

    def flag(name: str, default: bool, help_text: str) -> None:
        add(name, default=default, help=help_text, type=_boolean, nargs="?", const=True)

    flag("--enable_batching", True, "run rows of several requests in one batch (default true)")
    add("--batching_parameters_file", type=Path, help="file with the limits of the batches, as text protobuf")
    flag("--enable_model_warmup", True, "replay the warm-up requests of a version before it serves (default true)")
    help_text = "accepted for tensorflow_model_server, which needs it if the file has labels; here a label always waits for its version"
    flag("--allow_version_labels_for_unavailable_models", True, help_text)
    flag("--xla_cpu_compilation_enabled", False, "allow signatures that XLA compiles, such as generate_xla (default false)")
    flags = parser.parse_args(argv)
    if (flags.model_config_file is None) == (flags.model_base_path is None):
        raise BadInput("give either --model_config_file or --model_base_path", where="command line")
    return flags


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

    def version_folders(self) -> dict[int, Path]:
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
        raise BadInput(f"not a valid model configuration ({error})", where=where) from None
    return from_proto(parsed, where)


def from_proto(parsed: model_server_config_pb2.ModelServerConfig, where: str) -> dict[str, ModelConfig]:
    """Convert a `ModelServerConfig` message of a gRPC reload request. Return the models by name.

    Raises:
        BadInput: in the same cases as `parse_config`.
    """
    if parsed.WhichOneof("config") != "model_config_list":
        raise BadInput("model_config_list is missing", where=where)
    models: dict[str, ModelConfig] = {}
    for model in parsed.model_config_list.config:
        if not model.name or not model.base_path or model.name in models:
            raise BadInput("each model needs a unique name and a base_path", where=f"{where}: {model.name or 'a model'}")
        if model.model_platform not in ("", "tensorflow"):
            problem = f"model_platform {model.model_platform!r} is not supported"
            raise BadInput(problem, where=f"{where}: {model.name}", remedy="set it to 'tensorflow'")
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
