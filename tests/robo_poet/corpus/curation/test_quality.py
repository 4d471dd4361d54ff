import pytest

from robo_poet.corpus.curation.quality import failed_rule, language_of
from robo_poet.corpus.document import Document
from robo_poet.settings.data import QualitySettings

FRENCH = "Le soleil se lève sur la mer et les oiseaux chantent dans le jardin de ma grand-mère, où les roses sont rouges et blanches."


def failure(text: str, language: str = "", **bounds: object) -> object:
    return failed_rule(Document(id="a", group="", text=text, language=language), QualitySettings.model_validate(bounds))


def test_short_technical_english_is_not_nigerian_pidgin() -> None:
    texts = ["Rebuild for bookworm", "Update multiarch patch for loong64 support", "Fix pattern in debian/watch", "Import upstream patch"]
    assert {language_of(text) for text in texts} == {"en"}
    assert language_of(FRENCH) == "fr"


@pytest.mark.parametrize("text", ["x", "\ufffd\x00", "1 2 3", "a\na\na", FRENCH])
def test_by_default_no_document_fails(text: str) -> None:
    assert failure(text) is None


@pytest.mark.parametrize(
    ("text", "bounds", "expected"),
    [
        ("one two three", {"min_words": 4}, ("few_words", 3, "")),
        ("one two three", {"min_words": 3}, None),
        ("古池や蛙飛びこむ", {"min_words": 8}, None),
        ("1 + 1 = two", {"min_lettered_word_share": 0.8}, ("few_lettered_words", 0.2, "")),
        ("one + one is two", {"min_lettered_word_share": 0.8}, None),
        ("la\nla\n\n la \nend", {"max_repeated_line_share": 0.3}, ("repeated_lines", 0.5, "")),
        ("la\nend", {"max_repeated_line_share": 0}, None),
        ("ab\ufffd\x00", {"max_damaged_share": 0.1}, ("damaged", 0.5, "")),
        ("tab\tand\nline", {"max_damaged_share": 0}, None),
        (FRENCH, {"languages": ["en", "de"]}, ("language", None, "fr")),
        (FRENCH, {"languages": ["en", "fr"]}, None),
        ("Bonjour tristesse", {"languages": ["en"]}, None),
    ],
)
def test_bounds(text: str, bounds: dict[str, object], expected: object) -> None:
    assert failure(text, **bounds) == expected


@pytest.mark.parametrize(
    ("declared", "expected"), [("en-GB", None), ("FR", ("language", None, "fr")), ("klingon?", ("language", None, "unknown"))]
)
def test_a_declared_language_is_not_detected(declared: str, expected: object) -> None:
    assert failure(FRENCH, language=declared, languages=["en"]) == expected
