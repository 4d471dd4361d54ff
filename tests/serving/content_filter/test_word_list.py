from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from serving.content_filter.passage import fold
from serving.content_filter.word_list import LIST_FOLDER, WordEntry, WordIndex, at_least, parse_entry, read_list


def test_a_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# flowers\n\n[mild flower]\nRose tulip*\n[severe weed]\n*thistle* ground_elder\n")
    assert read_list(path) == [
        WordEntry("rose", "mild", "flower"), WordEntry("tulip", "mild", "flower", open=True),
        WordEntry("thistle", "severe", "weed", anywhere=True), WordEntry("ground elder", "severe", "weed"),
    ]  # fmt: skip
    assert [entry.word for entry in at_least(read_list(path), "strong")] == ["thistle", "ground elder"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("rose", 1, "before the first heading"), ("[mild flower]\nro*se", 2, "'ro\\*se' is not a valid entry"), ("[mild flower]\n*rose", 2, "is not a valid entry"),
        ("[mild flower]\ntwo_words*", 2, "is not a valid entry"), ("[wild flower]\nrose", 1, "not a valid heading"), ("[mild]\nrose", 1, "not a valid heading"), ("[mild flower\nrose", 1, "not a valid heading"),
    ],
)  # fmt: skip
def test_an_invalid_list_is_an_error_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(BadInput, match=rf"line {line}: .*{message}"):
        read_list(path)


def test_the_rule_of_an_entry_does_not_contain_its_word() -> None:
    assert parse_entry("rose", "strong", "flower", "here").rule == "words.strong"


def test_the_bundled_list_is_folded_unique_and_has_no_short_words() -> None:
    entries = read_list(LIST_FOLDER / "english.txt")
    words = [entry.word for entry in entries]
    assert len(words) == len(set(words))
    for entry in entries:
        assert fold(entry.word) == entry.word and len(entry.word) >= 3, entry.word
        assert not entry.anywhere or len(entry.word) >= 4, entry.word


INDEX = WordIndex([parse_entry(word, "mild", "flower", "here") for word in ("rose", "tulip*", "*thistle*")])


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("rose", "rose"), ("tulip", "tulip"), ("tulips", "tulip"), ("thistle", "thistle"), ("overthistled", "thistle"),
        ("roses", None), ("prose", None), ("atulip", None), ("tuli", None), ("", None),
    ],
)  # fmt: skip
def test_a_word_is_found_in_the_form_of_its_entry(word: str, found: str | None) -> None:
    entry = INDEX.find(word)
    assert (entry.word if entry else None) == found
