import pytest

from serving.content_filter.word_index import WordIndex
from serving.content_filter.word_list import parse

INDEX = WordIndex([parse(word, "mild", "flower", "here") for word in ("rose", "tulip*", "*thistle*")])


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("rose", "rose"), ("tulip", "tulip"), ("tulips", "tulip"), ("thistle", "thistle"), ("overthistled", "thistle"),
        ("roses", None), ("prose", None), ("atulip", None), ("tuli", None), ("", None),
    ],
)  # fmt: skip
def test_a_word_is_found_as_its_entry_says(word: str, found: str | None) -> None:
    entry = INDEX.find(word)
    assert (entry.word if entry else None) == found
