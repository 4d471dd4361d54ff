import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.model.tokenizer import END, START, Tokenizer


@pytest.fixture(scope="module")
def tokenizer(toy_tokenizer: Path) -> Tokenizer:
    return Tokenizer.load(toy_tokenizer)


def test_decoding_gives_back_the_nfc_text(tokenizer: Tokenizer) -> None:
    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def check(text: str) -> None:
        assert tokenizer.decode(tokenizer.encode(text)) == unicodedata.normalize("NFC", text)

    check()


def test_control_tokens_written_in_a_text_are_text(tokenizer: Tokenizer) -> None:
    text = "The <END> of a <START> is a <PAD> <UNK>."
    assert min(tokenizer.encode(text)) > END
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_document_is_wrapped(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode_document("the rose")
    assert (ids[0], ids[-1]) == (START, END) == (2, 3)
    assert tokenizer.decode(ids) == "the rose"


def test_the_vocabulary_may_exceed_the_number_of_tokens(tokenizer: Tokenizer) -> None:
    assert 260 < tokenizer.size <= tokenizer.vocabulary == 320


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"{tmp_path}: the folder holds no tokenizer"):
        Tokenizer.load(tmp_path)
