"""The command line and the model configuration file."""

from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from serving.model_server.config import parse_config, parse_flags, read_config

# The command line of docs/how-to/serve.md, as it is given to the binary.
BINARY = """--port=8500 --rest_api_port=8501 --model_config_file=models.config --model_config_file_poll_wait_seconds=5
--allow_version_labels_for_unavailable_models=true --enable_batching=true --batching_parameters_file=infra/serving/batching.config
--enable_model_warmup --xla_cpu_compilation_enabled=true""".split()


def test_the_arguments_of_tensorflow_model_server_are_accepted() -> None:
    given = parse_flags(BINARY)
    assert (given.host, given.port, given.rest_api_port, given.model_config_file) == ("127.0.0.1", 8500, 8501, Path("models.config"))
    assert given.enable_batching and given.enable_model_warmup and given.xla_cpu_compilation_enabled
    assert not parse_flags(["--model_base_path=m", "--enable_batching=false"]).enable_batching


@pytest.mark.parametrize(
    "words, message",
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
def test_an_invalid_argument_is_a_one_line_error(words: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        parse_flags(words.split())
    assert "\n" not in str(refused.value)


def test_each_version_policy_selects_its_folders(tmp_path: Path) -> None:
    for name in ("1", "2", "10", "not-a-version"):
        (tmp_path / name).mkdir()
    text = 'model_config_list {{ config {{ name: "m" base_path: "{}" model_platform: "tensorflow" {} }} }}'

    def wanted(policy: str) -> set[int]:
        return set(parse_config(text.format(tmp_path, policy), "here")["m"].version_folders())

    assert wanted("") == {10}
    assert wanted("model_version_policy { latest { num_versions: 2 } }") == {2, 10}
    assert wanted("model_version_policy { all {} }") == {1, 2, 10}
    assert wanted("model_version_policy { specific { versions: 1 versions: 3 } }") == {1}
    assert parse_config(text.format(tmp_path, 'version_labels { key: "a" value: 2 }'), "here")["m"].labels == {"a": 2}


@pytest.mark.parametrize(
    "text, message",
    [
        ("model_config_list { config { nam: 'x' } }", "not a valid model configuration"),
        ("", "model_config_list is missing"),
        ("model_config_list { config { name: 'm' } }", "a unique name and a base_path"),
        (
            "model_config_list { config { name: 'm' base_path: '/m' model_platform: 'torch' } }",
            "'torch' is not supported; set it to 'tensorflow'",
        ),
    ],
)
def test_an_invalid_configuration_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "models.config"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read_config(path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_config(tmp_path / "none")
