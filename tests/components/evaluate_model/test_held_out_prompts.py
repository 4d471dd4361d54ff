from pathlib import Path

import numpy as np
import pytest

from components.evaluate_model.held_out_prompts import held_out_prompts
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents
from robo_poet.model.saved_model import LoadedModel, load_model


@pytest.fixture(scope="module")
def model(toy_training: Path, toy_tokenizer: Path) -> LoadedModel:
    return load_model(toy_training / "model", toy_tokenizer)


def test_prompts_are_distinct_and_the_text_after_each_is_the_reference(model: LoadedModel, toy_corpus: Path) -> None:
    documents = list(read_documents(toy_corpus, "test"))
    prompts = held_out_prompts(model, documents, 20, 8, 10, seed=3)
    assert len(prompts) == 20 == len({(prompt.document.id, *prompt.ids) for prompt in prompts})
    for prompt in prompts:
        opening, following = model.tokenizer.decode(prompt.ids), model.tokenizer.decode(prompt.following)
        assert len(prompt.ids) == 9 and len(prompt.following) == 10 and opening + following in prompt.document.text


@pytest.mark.parametrize(("count", "apart"), [(6, True), (200, False)])
def test_prompts_overlap_only_if_the_text_is_too_short(model: LoadedModel, count: int, apart: bool) -> None:
    document = Document("d", "w", "").with_text(" ".join(f"the {number} rose sleeps" for number in range(100)))
    ids = model.tokenizer.encode(document.text)
    prompts = held_out_prompts(model, [document], count, 8, 10, seed=1)
    starts = [next(at for at in range(len(ids)) if ids[at : at + 18] == [*prompt.ids[1:], *prompt.following]) for prompt in prompts]
    assert len(prompts) == count
    assert bool((np.diff(sorted(starts)) >= 18).all()) is apart


def test_a_short_document_is_prompted_with_its_first_half(model: LoadedModel) -> None:
    text = "the rose sleeps and burns upon the sea"
    ids = model.tokenizer.encode(text)
    assert 8 <= len(ids) < 40
    documents = [Document(name, "w", "").with_text(content) for name, content in (("long", text), ("short", "a"))]
    for prompt in held_out_prompts(model, documents, 5, 32, 64, seed=1):
        assert prompt.document.id == "long" and prompt.ids[1:] == ids[: len(ids) // 2] and prompt.following == ids[len(ids) // 2 :]
