import gzip
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluate_model.exports import compressed_bytes, measure_edge_loss, sample_windows
from robo_poet.corpus.parquet import read_documents
from robo_poet.model.batch import WINDOW, score
from robo_poet.model.edge import EdgeModel, load_edge
from robo_poet.model.saved_model import load_model


def test_the_compressed_size_is_that_of_one_gzip_file_of_all_contents(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    contents = [random.integers(0, 50, size).astype(np.uint8).tobytes() for size in (10, 3_000_000, 0)]
    for name, content in zip(("a", "folder/b", "folder/deeper/c"), contents, strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert compressed_bytes(tmp_path) == len(gzip.compress(b"".join(contents), 6))


def test_the_loss_is_the_ratio_of_bits_per_byte_on_the_same_tokens(toy_corpus: Path, toy_training: Path, toy_tokenizer: Path) -> None:
    full, edge = load_model(toy_training / "model", toy_tokenizer), load_edge(toy_training / "model" / "edge", toy_tokenizer)
    test = [document.text for document in read_documents(toy_corpus, "test")]
    documents = [full.tokenizer.encode_document(text) for text in test]
    assert max(map(len, documents)) <= WINDOW  # one window each
    progress: list[tuple[int, int]] = []
    loss = measure_edge_loss(full, edge, test, tokens=10**6, batch=4, seed=1, say=lambda *counts: progress.append(counts))

    bits = -sum(float(scored.log_prob.sum()) for scored in score(full, documents, 4)) / math.log(2)
    bits_edge = 0.0
    for ids in documents:
        edge.reset()
        for token, following in pairwise(ids):
            logits = edge.read(token).astype(np.float64)
            bits_edge -= math.log2(np.exp(logits[following]) / np.exp(logits).sum())
    assert loss == pytest.approx(bits_edge / bits - 1, abs=1e-5)
    assert 0 < abs(loss) < 0.02  # INT8 quantisation has a small loss
    tokens = sum(map(len, documents)) - len(documents)
    assert progress[-1] == (tokens, tokens)


def test_an_edge_model_without_memory_has_a_large_loss(toy_corpus: Path, toy_training: Path, toy_tokenizer: Path) -> None:
    full, edge = load_model(toy_training / "model", toy_tokenizer), load_edge(toy_training / "model" / "edge", toy_tokenizer)

    class Forgetful(EdgeModel):
        def read(self, token: int) -> np.ndarray:
            edge.reset()  # it depends only on the last token
            return edge.read(token)

        def reset(self) -> None:
            pass

    test = [document.text for document in read_documents(toy_corpus, "test")]
    forgetful = Forgetful(None, edge.manifest, full.tokenizer)
    assert measure_edge_loss(full, forgetful, test, tokens=200, batch=4, seed=1, say=lambda *_: None) > 0.01


@given(st.lists(st.integers(1, 900), min_size=1, max_size=8), st.integers(1, 1500), st.integers(0, 99))
def test_the_windows_are_spans_of_documents_with_the_requested_number_of_distinct_tokens(
    lengths: list[int], tokens: int, seed: int
) -> None:
    documents = [[1000 * number + i for i in range(length)] for number, length in enumerate(lengths)]
    windows = sample_windows(documents, tokens, seed)
    assert windows == sample_windows(documents, tokens, seed)
    targets = [token for window in windows for token in window[1:]]
    assert len(targets) == len(set(targets)) == min(tokens, sum(length - 1 for length in lengths))
    for window in windows:
        assert 2 <= len(window) <= WINDOW and list(window) == list(range(window[0], window[0] + len(window)))
