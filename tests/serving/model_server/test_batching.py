from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from serving.model_server.batching import Batching, read_batching


def written(folder: Path, text: str) -> Path:
    path = folder / "batching.config"
    path.write_text(text)
    return path


def test_the_file_that_is_shipped_is_the_default() -> None:
    assert read_batching(Path(__file__).parents[3] / "infra" / "serving" / "batching.config") == Batching()


def test_both_forms_of_a_value_and_comments_are_read(tmp_path: Path) -> None:
    text = "max_batch_size { value: 8 } # eight\nbatch_timeout_micros: 500, allowed_batch_sizes: 4\nallowed_batch_sizes: 8;pad_variable_length_inputs: false"
    found = read_batching(written(tmp_path, text))
    assert (found.max_batch_size, found.batch_timeout_micros, found.allowed_batch_sizes, found.pad_variable_length_inputs) == (
        8,
        500,
        (4, 8),
        False,
    )
    assert read_batching(written(tmp_path, "max_batch_size { value: 8 }")).allowed_batch_sizes == (8,)


@pytest.mark.parametrize(
    "text, told",
    [
        ("max_batch_size { value: 8 }\nbatch_size: 4", "line 2: no batching parameter; they are max_batch_size"),
        ("max_batch_size { value: eight }", "line 1: no batching parameter"),
        ("share_batches: 1", "no batching parameter"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: 4", r"allowed_batch_sizes: \[4\] does not ascend to max_batch_size, 8"),
        ("num_batch_threads { value: 0 }", "must be at least 1"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=told):
        read_batching(written(tmp_path, text))
    with pytest.raises(BadInput, match="cannot be read"):
        read_batching(tmp_path / "none")
