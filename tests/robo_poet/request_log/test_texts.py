import pytest

from robo_poet.errors import BadInput
from robo_poet.request_log.texts import Texts
from robo_poet.settings.request_log import RequestLogSettings

LETTER = "Dear Anna Kowalski,\nwrite to anna@example.org or call (212) 867-5309.\n"


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts(RequestLogSettings())


def test_nothing_personal_stays(texts: Texts) -> None:
    prompt, one, other = texts.scrub([LETTER, "And Anna came.\n", "The sea, the sea"])
    assert prompt == "Dear <PERSON>,\nwrite to <EMAIL_ADDRESS> or call <PHONE_NUMBER>.\n"
    assert one == "And <PERSON> came.\n"  # known from the prompt alone
    assert other == "The sea, the sea"


@pytest.mark.parametrize("given", [[""], ["", ""], ["a", ""], ["\n", "\n\n", "x"], ["a\x1eb", "c"], ["a\n\x1e\nb", "c", ""]])
def test_texts_keep_their_places(texts: Texts, given: list[str]) -> None:
    assert texts.scrub(given) == given


def test_without_names() -> None:
    [text] = Texts(RequestLogSettings(names="patterns", spacy_model="no_such_model")).scrub([LETTER])
    assert "Anna Kowalski" in text
    assert "anna@" not in text


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(BadInput, match="is not installed"):
        Texts(RequestLogSettings(spacy_model="no_such_model"))
