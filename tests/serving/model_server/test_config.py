from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from serving.model_server.config import parse_flags

# The command line of docs/how-to/serve.md, as it is given to the binary.
BINARY = """--port=8500 --rest_api_port=8501 --model_config_file=models.config --model_config_file_poll_wait_seconds=5
--allow_version_labels_for_unavailable_models=true --enable_batching=true --batching_parameters_file=infra/serving/batching.config
--enable_model_warmup --xla_cpu_compilation_enabled=true""".split()


def test_the_binarys_arguments_are_ours() -> None:
    given = parse_flags(BINARY)
    assert (given.host, given.port, given.rest_api_port, given.model_config_file) == ("127.0.0.1", 8500, 8501, Path("models.config"))
    assert given.enable_batching and given.enable_model_warmup and given.xla_cpu_compilation_enabled
    assert not parse_flags(["--model_base_path=m", "--enable_batching=false"]).enable_batching


@pytest.mark.parametrize(
    "words, told",
    [
        ("", "command line: give either --model_config_file or --model_base_path"),
        ("--model_base_path=m --model_config_file=c", "give either"),
        ("--model_base_path=m --port=65536", "argument --port: must be a port from 0 to 65535"),
        ("--model_base_path=m --rest_api_port=-1", "argument --rest_api_port: must be a port from 0 to 65535"),
        ("--model_base_path=m --file_system_poll_wait_seconds=-1", "must be 0 to 86400 seconds"),
        ("--model_base_path=m --file_system_poll_wait_seconds=nan", "must be 0 to 86400 seconds"),
        ("--model_base_path=m --enable_batching=perhaps", "must be true or false"),
        ("--model_base_path=m --sing", "command line: unrecognized arguments: --sing; see --help"),
    ],
)
def test_what_cannot_be_used_is_one_line(words: str, told: str) -> None:
    with pytest.raises(BadInput, match=told) as refused:
        parse_flags(words.split())
    assert "\n" not in str(refused.value)
