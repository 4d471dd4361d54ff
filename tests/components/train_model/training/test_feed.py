from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.train_model.training.feed import Feed, make_feed, window_starts
from robo_poet.model.tokenizer import END, PAD, START, Tokenizer


@given(st.integers(2, 500), st.integers(8, 100), st.data())
def test_every_token_but_the_first_is_a_target(length: int, window: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, window))
    starts = window_starts(length, window, stride)
    targets = Counter(t for s in starts for t in range(s + 1, min(s + window, length - 1) + 1))
    assert set(targets) == set(range(1, length))
    assert starts[-1] < length - 1
    if stride == window:
        assert max(targets.values()) == 1


@pytest.fixture(scope="module")
def feed(toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Feed:
    texts = ["the rose", "my heart sleeps under the night. " * 5, ""]
    cache = tmp_path_factory.mktemp("feed") / "ids"
    return make_feed(texts, Tokenizer.load(toy_tokenizer), window=10, stride=10, cache=cache)


def test_windows_stay_inside_their_document_and_are_post_padded(feed: Feed) -> None:
    inputs, targets = feed.gather(np.arange(len(feed)))
    assert (inputs == START).sum() == (targets == END).sum() == 3
    for row_in, row_out in zip(inputs, targets, strict=True):
        real = int((row_out != PAD).sum())
        assert real > 0 and not row_out[real:].any() and not row_in[real:].any()
        assert (row_in[1:real] == row_out[: real - 1]).all()
        assert START not in row_in[1:] and END not in row_in


def test_an_epoch_has_every_window_once_in_a_new_order(feed: Feed) -> None:
    def epoch(number: int, skip: int = 0) -> list[bytes]:
        return [inputs.numpy().tobytes() for inputs, _ in feed.epoch(2, seed=1, epoch=number, skip=skip)]

    assert epoch(0) == epoch(0) != epoch(1)
    assert epoch(0, skip=3) == epoch(0)[3:]
    rows = np.concatenate([inputs.numpy() for inputs, _ in feed.epoch(2, seed=1, epoch=0)])
    in_order = feed.gather(np.arange(len(feed)))[0]
    assert sorted(map(bytes, rows)) == sorted(map(bytes, in_order))
    assert feed.batches(2) == -(-len(feed) // 2) == len(epoch(0))
