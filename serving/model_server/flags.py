"""The command line. Its flags have the names of `tensorflow_model_server`, so the same arguments work for both."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from robo_poet.errors import BadInput


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report the error in one line, as for all bad input, without the usage text."""
        raise BadInput(message, where="command line", remedy="--help shows the use")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    if not 0 <= (seconds := float(text)) <= 86400:  # argparse reports the ValueError of a text that is not a number
        raise argparse.ArgumentTypeError("0 to 86400 seconds")
    return seconds


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError("true or false")
    return text.lower() in ("true", "1")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        BadInput: an argument is not valid, or not exactly one of configuration file and model folder is given.
    """
    parser = _Parser(prog="python -m serving.model_server", description="Serves exported models as TensorFlow Serving does.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (ours; the binary listens on all)")
    add("--port", type=_port, default=8500, help="gRPC; 0 takes a free one")
    add("--rest_api_port", type=_port, default=8501, help="HTTP; 0 takes a free one")
    add("--model_config_file", type=Path, help="models, versions and labels; a text protobuf")
    add("--model_config_file_poll_wait_seconds", type=_seconds, default=0.0, help="read it again so often; 0: never")
    add("--file_system_poll_wait_seconds", type=_seconds, default=1.0, help="look for new versions so often")
    add("--model_name", default="default", help="of the one model, where there is no configuration")
    add("--model_base_path", type=Path, help="folder of its versions")

    def flag(name: str, default: bool, help_text: str) -> None:
        add(name, default=default, help=help_text, type=_truth, nargs="?", const=True)

    flag("--enable_batching", True, "rows of several requests in one call")
    add("--batching_parameters_file", type=Path, help="limits of the batches; a text protobuf")
    flag("--enable_model_warmup", True, "play the version's warm-up requests before it serves")
    help_text = "taken and not needed: here a label waits for its version; the binary refuses to start without it where a file has labels"
    flag("--allow_version_labels_for_unavailable_models", True, help_text)
    flag("--xla_cpu_compilation_enabled", False, "let signatures run that XLA compiles, such as generate_xla")
    flags = parser.parse_args(argv)
    if (flags.model_config_file is None) == (flags.model_base_path is None):
        raise BadInput("give one of --model_config_file and --model_base_path", where="arguments")
    return flags
