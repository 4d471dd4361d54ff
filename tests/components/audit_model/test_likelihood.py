from pathlib import Path

import numpy as np
import pytest
import tokenizers

from components.audit_model.likelihood import EncodedText, encode_continuation, log_probs
from robo_poet.model.batch import score
from robo_poet.model.saved_model import load_model
from robo_poet.model.tokenizer import START, Tokenizer
from tests.components.audit_model.toy_model import ignore_progress, toy_model

SENTENCES = [
    ("The rose", " sleeps upon my heart."),
    ("Yet the night wind", " burns."),
    ("My star", " weeps and falls under the bright cold sea."),
]


def test_log_probs_equal_the_score_of_whole_documents(toy_training: Path, toy_tokenizer: Path) -> None:
    model = load_model(toy_training / "model", toy_tokenizer)
    texts = [encode_continuation(model, *split_at_person) for split_at_person in SENTENCES]
    whole = list(score(model, [[*text.context, *text.continuation] for text in texts if text], 4))
    expected = [one.log_prob[len(text.context) - 1 :].sum() for one, text in zip(whole, texts, strict=True) if text]
    for batch in (1, 2, 64):
        assert log_probs(model, texts, batch=batch, width=64, report=ignore_progress) == pytest.approx(expected, rel=1e-4)


def test_equal_texts_are_scored_once_and_long_ones_are_skipped(toy_tokenizer: Path) -> None:
    model, rows = toy_model(Tokenizer.load(toy_tokenizer)), []
    counted = type(model)(None, None, lambda tokens: rows.append(tokens) or model.score(tokens), model.tokenizer, {}, None)
    one, other, long = EncodedText((2, 5), (6, 7)), EncodedText((2, 5), (6,)), EncodedText((2,) * 10, (5,) * 7)
    found = log_probs(counted, [one, None, one, other, long], batch=2, width=16, report=ignore_progress)
    assert len(rows) == 1 and rows[0].shape == (2, 8)  # as narrow as they are, in steps of 8
    assert found[0] == found[2] and np.isnan(found).tolist() == [False, True, False, False, True]


def test_a_text_that_the_tokenizer_cannot_encode_is_none() -> None:
    core = tokenizers.Tokenizer(tokenizers.models.BPE({"<PAD>": 0, "<UNK>": 1, "<START>": 2, "<END>": 3, "a": 4, "b": 5, "Ġ": 6}, []))
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    model = toy_model(Tokenizer(core, 7))
    assert encode_continuation(model, "ab", " ba") == EncodedText((START, 4, 5), (6, 5, 4))
    assert encode_continuation(model, "ab", " bc") is None and encode_continuation(model, "é", " ba") is None
