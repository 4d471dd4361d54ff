"""A loaded version of the toy model: what it may be batched into, while it warms and behind that."""

import shutil
from pathlib import Path

import pytest

from serving.model_server.batching import Batching
from serving.model_server.errors import CallError, Unloaded
from serving.model_server.servable import WARM_UP_REQUESTS, Servable


@pytest.fixture
def folder(toy_training: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(toy_training / "model" / "saved_model", tmp_path / "1"))


def test_all_sizes_are_allowed_after_the_warm_up(folder: Path) -> None:
    loaded = Servable(folder, Batching(), xla=False)
    loaded.warm_first()
    score, generate = loaded.batcher("score"), loaded.batcher("generate")  # readers who come early
    assert score._sizes == generate._sizes == {1}
    loaded.warm_rest()
    assert score._sizes == generate._sizes == {1, 2, 4, 8, 16, 32}  # the file plays `score` in one size only
    loaded.close()
    for name in ("score", "beam_search"):  # with and without a queue of its own
        with pytest.raises(Unloaded):
            loaded.batcher(name).submit({"tokens": [[1]]}, 0)  # type: ignore[dict-item]


def test_a_failed_warm_up_request_restricts_no_size(folder: Path) -> None:
    loaded = Servable(folder, Batching(), xla=False)
    loaded.warm_first()
    generate = loaded.batcher("generate")
    loaded._warm_up_requests.append(("sing", dict(loaded._warm_up_requests[0][1])))
    with pytest.raises(CallError, match="'sing' not found"):
        loaded.warm_rest()
    assert generate._sizes == {1, 2, 4, 8, 16, 32}
    loaded.close()


def test_a_version_without_warm_up_is_not_restricted(folder: Path) -> None:
    (folder / WARM_UP_REQUESTS).unlink()
    loaded = Servable(folder, Batching(2, allowed_batch_sizes=(1, 2)), xla=False)
    loaded.warm_first()
    assert loaded.batcher("score")._sizes == {1, 2}
    loaded.close()
