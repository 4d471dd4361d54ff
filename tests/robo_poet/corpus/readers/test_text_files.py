from pathlib import Path

import pytest

from robo_poet.corpus.source import Source, open_source
from robo_poet.settings.data import IngestSettings

PARAGRAPH = "It was a cold morning, and nobody in the house had slept. " * 8 + "\n\n"
BOOK = "".join(f"CHAPTER {number}\n\n{PARAGRAPH * 12}" for number in range(1, 13))


def read(path: Path, **settings: object) -> Source:
    source = open_source(str(path), "", IngestSettings.model_validate(settings))
    list(source.documents())
    return source


def ids(source: Source) -> list[str]:
    return [document.id for document in source.documents()]


@pytest.fixture
def novel(tmp_path: Path) -> Path:
    (tmp_path / "novel.txt").write_text(BOOK, "utf-8")
    return tmp_path / "novel.txt"


def test_one_book_in_one_file_is_divided_with_a_warning(novel: Path) -> None:
    source = read(novel)
    documents = list(source.documents())
    assert [document.id for document in documents[:2]] == ["novel.txt#1", "novel.txt#2"] and len(documents) >= 12
    assert {document.group for document in documents} == {""}
    (warning,) = source.warnings
    assert f"novel.txt into {len(documents)} parts at headings" in warning and "ingest.few_works" in warning


def test_line_ends_do_not_change_the_division(novel: Path, tmp_path: Path) -> None:
    expected = len(ids(read(novel)))
    for end in ("\r\n", "\r"):
        (tmp_path / "other.txt").write_bytes(BOOK.replace("\n", end).encode())
        assert len(ids(read(tmp_path / "other.txt"))) == expected


def test_a_file_with_three_works_is_not_divided(tmp_path: Path) -> None:
    (tmp_path / "works.txt").write_text("\n---\n".join([BOOK, BOOK + "end", BOOK + "fin"]), "utf-8")
    source = read(tmp_path / "works.txt")
    assert ids(source) == ["works.txt#1", "works.txt#2", "works.txt#3"] and not source.warnings


def test_works_are_kept_on_wish(novel: Path) -> None:
    source = read(novel, few_works="keep")
    assert ids(source) == ["novel.txt#1"] and not source.warnings


def test_a_folder_of_two_books_is_divided_and_one_of_three_is_not(novel: Path) -> None:
    (novel.parent / "short.md").write_text("One line.", "utf-8")
    source = read(novel.parent)
    assert ids(source)[:2] == ["novel.txt#1", "novel.txt#2"] and ids(source)[-1] == "short.md"
    assert len(source.warnings) == 1 and "short" not in source.warnings[0]
    (novel.parent / "third.txt").write_text("One line.", "utf-8")
    assert ids(read(novel.parent)) == ["novel.txt", "short.md", "third.txt"]


LICENCE = "This eBook is for the use of anyone anywhere in the United States. " * 300
MARKED = f"{LICENCE}\n\n*** START OF {{}} PROJECT GUTENBERG EBOOK A BOOK ***\n\n{BOOK}\n\n*** END OF {{}} PROJECT GUTENBERG EBOOK A BOOK ***\n\n{LICENCE}"


@pytest.mark.parametrize("article", ["THE", "THIS"])
def test_the_licence_of_project_gutenberg_is_left_out(article: str, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(MARKED.format(article, article), "utf-8")
    source = read(tmp_path / "book.txt")
    text = "".join(document.text for document in source.documents())
    assert "eBook" not in text and "GUTENBERG" not in text and text.startswith("CHAPTER 1\n")
    assert any("licence of Project Gutenberg before and after the text was left out: book.txt (40," in each for each in source.warnings)


@pytest.mark.parametrize(
    "text", [MARKED.format("THE", "THE").partition("*** END")[0], "*** START OF THE PROJECT GUTENBERG EBOOK A ***\n\n"]
)
def test_without_both_marks_nothing_is_left_out(text: str, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(text, "utf-8")
    documents = read(tmp_path / "book.txt", few_works="keep").documents()
    assert "START OF" in next(documents).text
