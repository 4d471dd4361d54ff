from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.model_server.config import parse_config
from serving.model_sync.config_file import parse, read, render, write
from serving.model_sync.plan import Config

CONFIGS = st.builds(
    Config, st.frozensets(st.integers(1, 10**9), max_size=5), st.dictionaries(st.sampled_from(["stable", "canary", "former"]), st.integers(1, 10**9))
)  # fmt: skip
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)


@given(CONFIGS, NAMES)
def test_the_text_is_read_back_here_and_by_the_model_server(config: Config, folder: str) -> None:
    base = Path("/") / folder / "poems"
    text = render(base, config)
    assert parse(base, text) == config
    [(name, served)] = parse_config(text, "here").items()
    assert (name, served.base, set(served.versions), dict(served.labels)) == ("poems", base.resolve(), config.versions, config.labels)


def test_a_file_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    config = Config(frozenset({1, 2}), {"canary": 2, "stable": 1})
    canary, stable = (f'    version_labels {{ key: "{label}" value: {number} }}\n' for label, number in config.labels.items())
    text = render(tmp_path / "poems", config)
    assert canary + stable in text and parse(tmp_path / "poems", text.replace(canary + stable, stable + canary)) == config


@pytest.mark.parametrize("content", [b"", b"model_config_list {", b"\xff", b"model_config_list { config { name: 'other' } }", None])
def test_another_file_is_an_empty_configuration_and_is_replaced(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "models.config").write_bytes(content)
    base, config = tmp_path / "poems", Config(frozenset({1}), {"stable": 1})
    assert read(base) == Config()
    assert write(base, config) and not write(base, config) and read(base) == config
    assert read(tmp_path / "others") == Config()
    assert [path.name for path in tmp_path.iterdir()] == ["models.config"]


def test_a_file_for_a_folder_that_was_moved_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    config = Config(frozenset({1}), {"stable": 1})
    write(tmp_path / "old" / "poems", config)
    (tmp_path / "old").rename(tmp_path / "new")
    assert read(tmp_path / "new" / "poems") == Config() and write(tmp_path / "new" / "poems", config)
