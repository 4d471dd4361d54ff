import pickle
from pathlib import Path

import profanity_check
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profanity_check import predict_prob
from profanity_check.profanity_check import vectorizer

from robo_poet.errors import BadInput
from robo_poet.settings.content_filter import ContentFilterSettings
from serving.content_filter.passage import Passage
from serving.content_filter.toxicity import DIGESTS, ToxicityJudge

WHOLE = ToxicityJudge(0.99)
OURS = ToxicityJudge(ContentFilterSettings().toxicity_threshold, ContentFilterSettings().toxicity_ignores)
CALM = "The moon is bright upon the silver sea and all the little stars are counting ships that sail for home tonight. "


@pytest.mark.parametrize("name", DIGESTS)
def test_a_changed_pickle_is_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()",)

    data = tmp_path / "profanity_check" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise AssertionError('the package ran')")
    for original in (Path(profanity_check.__file__).parent / "data").iterdir():
        (data / original.name).write_bytes(original.read_bytes())
    (data / name).write_bytes(pickle.dumps(Payload()))
    monkeypatch.setattr("serving.content_filter.toxicity.package_folder", lambda *_: data.parent)
    with pytest.raises(BadInput, match=rf"{name} is not the published file, so it is not loaded"):
        ToxicityJudge(0.99)
    (data / name).unlink()
    with pytest.raises(BadInput, match="cannot read the toxicity classifier"):
        ToxicityJudge(0.99)
    assert not (tmp_path / "ran").exists()


@given(st.lists(st.sampled_from(sorted(vectorizer.vocabulary_)) | st.text(max_size=12), max_size=60).map(" ".join))
def test_probabilities_equal_those_of_the_package(text: str) -> None:
    assert WHOLE.probability(text) == pytest.approx(predict_prob([text])[0], abs=1e-9)


@pytest.mark.parametrize(
    "text", ["you are stupid", "shut up you moron", "YOU STUPID IDIOT", "yоu аrе ѕtuріd", "You stupid, stupid, worthless idiot!"]
)
def test_an_insult_is_a_hit(text: str) -> None:
    assert OURS.find(Passage(text), "prompt")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "…",
        "a nice day",
        CALM * 20,
        "thou art a villain and a fool",
        "You are an ass",
        "farewell, bastard",
        "My mistress' eyes are nothing like the sun",
    ],
)
def test_other_texts_pass(text: str) -> None:
    assert not OURS.find(Passage(text), "prompt")


@pytest.mark.parametrize("place", range(12))
def test_a_short_insult_in_a_long_text_is_found(place: int) -> None:
    text = CALM * place + "Shut up, you stupid idiot. " + CALM * (11 - place)
    assert predict_prob([text])[0] < 0.5  # as a whole
    assert OURS.find(Passage(text), "completion")


def test_ignored_words_have_no_weight() -> None:
    assert ToxicityJudge(0.99).probability("you idiot") > 0.99 > ToxicityJudge(0.99, ["Idiot"]).probability("you idiot")


def test_every_word_of_a_text_is_in_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    monkeypatch.setattr(ToxicityJudge, "_score", lambda self, words: seen.update(words) or 0.0)
    for length in range(1, 100):
        seen.clear()
        words = [f"word{number}" for number in range(length)]
        WHOLE.find(Passage(" ".join(words)), "prompt")
        assert seen == set(words)
