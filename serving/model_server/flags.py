"""The command line, with `tensorflow_model_server`'s names, so that one set of arguments fits both."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from robo_poet.errors import BadInput


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError("true or false")
    return text.lower() in ("true", "1")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parsed arguments.

    Raises:
        BadInput: neither a configuration nor a model's folder is given, or both.
    """
    parser = argparse.ArgumentParser(
        prog="python -m serving.model_server", description="Serves exported models as TensorFlow Serving does."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (ours; the binary listens on all)")
    add("--port", type=int, default=8500, help="gRPC; 0 takes a free one")
    add("--rest_api_port", type=int, default=8501, help="HTTP; 0 takes a free one")
    add("--model_config_file", type=Path, help="models, versions and labels; a text protobuf")
    add("--model_config_file_poll_wait_seconds", type=float, default=0.0, help="read it again so often; 0: never")
    add("--file_system_poll_wait_seconds", type=float, default=1.0, help="look for new versions so often")
    add("--model_name", default="default", help="of the one model, where there is no configuration")
    add("--model_base_path", type=Path, help="folder of its versions")

    def flag(name: str, default: bool, told: str) -> None:
        add(name, default=default, help=told, type=_truth, nargs="?", const=True)

    flag("--enable_batching", True, "rows of several requests in one call")
    add("--batching_parameters_file", type=Path, help="limits of the batches; a text protobuf")
    flag("--enable_model_warmup", True, "play the version's warm-up requests before it serves")
    flag("--xla_cpu_compilation_enabled", False, "let signatures run that XLA compiles, such as generate_xla")
    given = parser.parse_args(argv)
    if (given.model_config_file is None) == (given.model_base_path is None):
        raise BadInput("give one of --model_config_file and --model_base_path", where="arguments")
    return given
