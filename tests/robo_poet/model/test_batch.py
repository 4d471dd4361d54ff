from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.parquet import read_documents
from robo_poet.model.batch import CONTEXT, WINDOW, _rows, score
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
