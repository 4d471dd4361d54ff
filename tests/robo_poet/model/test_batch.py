from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents
from robo_poet.evaluation.likelihood import block_count
from robo_poet.model.batch import CONTEXT, WINDOW, Score, _blocks, _rows, document_likelihoods, score
from robo_poet.model.saved_model import LoadedModel, load_model


@given(st.integers(1, 3000))
def test_each_token_but_the_first_is_scored_once_with_context(length: int) -> None:
    scored = []
    for start, first in _rows(length):
        end = min(start + WINDOW, length)
        assert first == 1 if start == 0 else first - start == CONTEXT
        scored += range(first, end)
    assert scored == list(range(1, length))


@pytest.fixture(scope="module")
def model(toy_training: Path, toy_tokenizer: Path) -> LoadedModel:
    return load_model(toy_training / "model", toy_tokenizer)


def test_a_score_does_not_depend_on_the_batch(model: LoadedModel, toy_corpus: Path) -> None:
    documents = [model.tokenizer.encode_document(d.text) for d in read_documents(toy_corpus)][:6]
    documents += [documents[0] * 3, [2, 3], documents[1][:5]]
    together = list(score(model, documents, batch=4))
    for ids, result in zip(documents, together, strict=True):
        assert len(result.log_prob) == len(result.rank) == len(ids) - 1
        alone = next(iter(score(model, [ids], batch=1)))
        assert np.allclose(result.log_prob, alone.log_prob, atol=1e-4)
        assert (result.log_prob < 0).all() and (result.rank >= 0).all()
        if len(ids) <= WINDOW:
            direct = model.score(tokens=np.asarray([ids], np.int32))["log_prob"].numpy()[0]
            assert np.allclose(result.log_prob, direct, atol=1e-4)


def test_the_blocks_of_a_document_sum_to_the_document(model: LoadedModel, toy_corpus: Path) -> None:
    texts = ["\n".join(document.text for document in read_documents(toy_corpus))[:9000] + "é" * 50, "Ay.", "née 🙂 " * 500]
    documents = [Document(f"d{n}", "w", text, "test") for n, text in enumerate(texts)]
    unigram = np.log(np.full(model.tokenizer.size, 1 / model.tokenizer.size))
    rows = document_likelihoods(model, documents, batch=4, say=lambda *_: None, unigram=unigram)
    for row, text in zip(rows, texts, strict=True):
        assert len(row.blocks) == block_count(len(text.encode()))
        for field in ("bytes", "tokens", "first", "among_five"):
            assert sum(getattr(block, field) for block in row.blocks) == getattr(row, field)
        for field in ("nats", "unigram_nats"):
            assert sum(getattr(block, field) for block in row.blocks) == pytest.approx(getattr(row, field), rel=1e-5)


def test_a_token_belongs_to_the_block_in_which_it_starts_and_a_block_without_a_token_leaves_the_document_whole() -> None:
    lengths = np.asarray([0, 0, 0, 0, 1000, 3500, 1], np.int64)
    document = Document("d", "w", "x" * 4000, "test")

    def blocks(ids: list[int]) -> list[tuple[int, int, float]]:
        scores = Score(np.full(len(ids), -1.0, np.float32), np.zeros(len(ids), np.int32))
        return [(block.bytes, block.tokens, block.nats) for block in _blocks(document, np.asarray(ids, np.int64), scores, lengths, None)]

    assert blocks([4, 4, 4, 4, 3]) == [(2000, 2, 2.0), (2000, 3, 3.0)]  # <END> belongs to the last block
    assert blocks([4, 5, 6]) == [(2000, 2, 2.0), (2000, 1, 1.0)]  # the long token starts in the first block
    assert blocks([5]) == []
