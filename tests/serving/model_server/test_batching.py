"""The queue, with a model that doubles numbers and takes as long as a test tells it to."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from serving.model_server.batching import Batcher, Batching, QueuedRequest, read_batching, stack
from serving.model_server.errors import CallError, Code


def written(folder: Path, text: str) -> Path:
    path = folder / "batching.config"
    path.write_text(text)
    return path


def test_the_shipped_file_has_the_default_limits() -> None:
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
    "text, message",
    [
        ("max_batch_size { value: 8 }\nbatch_size: 4", "line 2: not a batching parameter; choose from max_batch_size"),
        ("max_batch_size { value: eight }", "line 1: not a batching parameter"),
        ("share_batches: 1", "not a batching parameter"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: 4", r"allowed_batch_sizes: \[4\] must ascend and end with max_batch_size, 8"),
        ("num_batch_threads { value: 0 }", "must be at least 1"),
    ],
)
def test_an_invalid_parameter_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=message):
        read_batching(written(tmp_path, text))
    with pytest.raises(BadInput, match="cannot be read"):
        read_batching(tmp_path / "none")


LATER = float("inf")


class Model:
    """Doubles; while closed, a batch waits inside it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Semaphore(0)
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self.shapes.append(inputs["x"].shape)
        self.entered.release()
        assert self.open.wait(20)
        if (inputs["x"] < 0).any():
            raise CallError(Code.INVALID_ARGUMENT, "x: negative")
        return {"y": inputs["x"].sum(axis=1) * 2}


def rows(*numbers: int, width: int = 1) -> dict[str, Any]:
    return {"x": np.repeat(np.asarray(numbers, np.int32)[:, None], width, axis=1)}


@given(st.lists(st.tuples(st.lists(st.integers(1, 99), min_size=1, max_size=4), st.integers(1, 5)), min_size=1, max_size=30))
def test_each_request_gets_its_own_rows_back(asked: list[tuple[list[int], int]]) -> None:
    model = Model()
    batcher = Batcher(model, Batching(8, allowed_batch_sizes=(1, 2, 4, 8), max_enqueued_batches=100), (1, 2, 4, 8))
    model.open.clear()  # so that they gather behind the first ones
    answers = [batcher.submit(rows(*numbers, width=width), LATER) for numbers, width in asked]
    model.open.set()
    for answer, (numbers, width) in zip(answers, asked, strict=True):
        assert answer.result(20)["y"].tolist() == [2 * width * number for number in numbers]
    batcher.close()
    assert all(shape[0] in (1, 2, 4, 8) for shape in model.shapes)
    assert sum(batcher.batches.values()) == len(model.shapes)


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=3), min_size=1, max_size=5), st.integers(0, 6))
def test_a_batch_is_filled_with_its_first_row(parts: list[list[int]], more: int) -> None:
    total = sum(map(len, parts))
    batch = stack([QueuedRequest(rows(*part), len(part), LATER) for part in parts], total + more)["x"][:, 0].tolist()
    assert batch == [number for part in parts for number in part] + [parts[0][0]] * more


def held(**limits: Any) -> tuple[Model, Batcher, "Future[Any]"]:
    """A batcher with one thread, which is inside the model."""
    model = Model()
    given = {"max_batch_size": 4, "allowed_batch_sizes": (1, 2, 4), "max_enqueued_batches": 2, "num_batch_threads": 1, **limits}
    batcher = Batcher(model, Batching(**given), (1, 2, 4))
    model.open.clear()
    first = batcher.submit(rows(1), LATER)
    assert model.entered.acquire(timeout=20)
    return model, batcher, first


def test_requests_queued_during_a_batch_form_the_next_batch() -> None:
    model, batcher, first = held()
    others = [batcher.submit(rows(number), LATER) for number in (2, 3, 4)]
    model.open.set()
    assert [answer.result(20)["y"].tolist() for answer in (first, *others)] == [[2], [4], [6], [8]]
    assert [shape[0] for shape in model.shapes] == [1, 4]  # three rows fill a batch of four
    batcher.close()


def test_a_full_queue_refuses_until_it_has_room() -> None:
    model, batcher, first = held()
    waiting = [batcher.submit(rows(1), LATER) for _ in range(8)]
    assert batcher.waiting == 8
    with pytest.raises(CallError, match="the queue is full") as refused:
        batcher.submit(rows(1), LATER)
    assert refused.value.code is Code.UNAVAILABLE
    model.open.set()
    for answer in (first, *waiting):
        answer.result(20)
    assert batcher.submit(rows(5), LATER).result(20)["y"].tolist() == [10]
    batcher.close()


def test_cancelled_and_expired_requests_are_not_run() -> None:
    model, batcher, first = held()
    left = batcher.submit(rows(7), LATER)
    late = batcher.submit(rows(8), time.monotonic() - 1)
    kept = batcher.submit(rows(9), LATER)
    assert left.cancel()
    model.open.set()
    assert kept.result(20)["y"].tolist() == [18] and first.result(20)
    with pytest.raises(CallError, match="the deadline passed") as passed:
        late.result(20)
    assert passed.value.code is Code.DEADLINE_EXCEEDED
    batcher.close()
    assert sum(shape[0] for shape in model.shapes) == 2 and batcher.waiting == 0


def test_an_invalid_request_does_not_fail_the_others() -> None:
    model, batcher, first = held()
    bad, good = batcher.submit(rows(-1), LATER), batcher.submit(rows(3), LATER)
    model.open.set()
    assert good.result(20)["y"].tolist() == [6] and first.result(20)
    with pytest.raises(CallError, match="x: negative"):
        bad.result(20)
    batcher.close()


def test_only_warm_sizes_are_used_until_more_are_allowed() -> None:
    model, batcher, first = held()
    batcher._sizes = {1}
    others = [batcher.submit(rows(2), LATER) for _ in range(3)]
    model.open.set()
    for answer in (first, *others):
        answer.result(20)
    assert [shape[0] for shape in model.shapes] == [1, 1, 1, 1]
    model.open.clear()
    more = [batcher.submit(rows(2), LATER)]
    assert model.entered.acquire(timeout=20)
    batcher.allow(4)
    more += [batcher.submit(rows(2), LATER) for _ in range(3)]
    model.open.set()
    for answer in more:
        answer.result(20)
    assert model.shapes[-1][0] == 4
    batcher.close()


def test_without_batching_each_request_is_a_batch() -> None:
    model, batcher, first = held(share_batches=False)
    others = [batcher.submit(rows(2, 3), LATER) for _ in range(2)]
    model.open.set()
    for answer in (first, *others):
        answer.result(20)
    assert [shape[0] for shape in model.shapes] == [1, 2, 2]
    batcher.close()


def test_wrong_row_counts_and_a_closed_queue_are_refused() -> None:
    batcher = Batcher(Model(), Batching(), (1,))
    for wrong in ({"x": np.zeros((1, 1)), "z": np.zeros((2, 1))}, {"x": np.zeros((0, 1))}, {"x": np.zeros((33, 1))}):
        with pytest.raises(CallError) as refused:
            batcher.submit(wrong, LATER)
        assert refused.value.code is Code.INVALID_ARGUMENT
    batcher.close()
    with pytest.raises(CallError, match="unloaded"):
        batcher.submit(rows(1), LATER)


def test_a_request_larger_than_the_warm_sizes_runs_in_an_allowed_size() -> None:
    model = Model()
    batcher = Batcher(model, Batching(8, allowed_batch_sizes=(1, 4, 8)), (1,))
    assert batcher.submit(rows(1, 2, 3), LATER).result(20)["y"].tolist() == [2, 4, 6]
    assert model.shapes == [(4, 1)]  # a compiler is asked for few sizes
    batcher.close()


def test_no_batch_is_larger_than_the_allowed_sizes() -> None:
    model, batcher, first = held()
    batcher.allow(8, 16)
    others = [batcher.submit(rows(2), LATER) for _ in range(8)]
    model.open.set()
    for answer in (first, *others):
        answer.result(20)
    assert max(shape[0] for shape in model.shapes) == 4
    batcher.close()


@pytest.mark.parametrize("wrong", [np.float32(1), np.zeros(3, np.float32)])
def test_outputs_without_rows_are_an_error_and_the_queue_continues(wrong: Any) -> None:
    batcher = Batcher(lambda inputs: {"loss": wrong if inputs["x"][0, 0] else inputs["x"]}, Batching(num_batch_threads=1), (1,))
    for _ in range(2):
        with pytest.raises(CallError, match="loss: must have one output row") as refused:
            batcher.submit(rows(1), LATER).result(20)
        assert refused.value.code is Code.INTERNAL
    assert batcher.submit(rows(0), LATER).result(20)["loss"].tolist() == [[0]]
    batcher.close()
