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


def test_a_work_with_most_of_the_text_is_divided(tmp_path: Path) -> None:
    short = [f"{PARAGRAPH * 9}number {number}" for number in range(3)]
    (tmp_path / "works.txt").write_text("\n---\n".join([short[0], BOOK, *short[1:]]), "utf-8")
    source = read(tmp_path / "works.txt")
    texts = [document.text for document in source.documents()]
    assert texts[0] == short[0] and texts[-2:] == short[1:] and len(texts) > 12
    assert "works.txt into " in source.warnings[0]
    kept = read(tmp_path / "works.txt", few_works="keep")
    assert len(ids(kept)) == 4 and not kept.warnings


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
MARK = "*** {} OF {} PROJECT GUTENBERG EBOOK M*A*S*H ***"


def marked(book: str, article: str = "THE") -> str:
    start, end = (MARK.format(kind, article) for kind in ("START", "END"))
    return "\n\n".join([LICENCE, start, book, end, LICENCE])


@pytest.mark.parametrize("article", ["THE", "THIS"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_licence_of_project_gutenberg_is_left_out(article: str, end: str, tmp_path: Path) -> None:
    for name in ("book.txt", "books/1.txt", "books/2.txt", "books/3.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(marked(BOOK, article).replace("\n", end).encode())
    for path, files in (("book.txt", 1), ("books", 3)):
        source = read(tmp_path / path)
        texts = [document.text for document in source.documents()]
        assert not any("eBook" in text or "GUTENBERG" in text for text in texts) and texts[0].startswith("CHAPTER 1\n")
        (warning,) = [each for each in source.warnings if "licence of Project Gutenberg before and after" in each]
        assert warning.count("(40,") == files


@pytest.mark.parametrize("separator", ["\n---\n", "\n\n"])
def test_several_books_in_one_file_keep_all_their_text(separator: str, tmp_path: Path) -> None:
    books = [f"Book number {number}.\n\n{BOOK}" for number in range(5)]
    (tmp_path / "books.txt").write_text(separator.join(map(marked, books)), "utf-8")
    texts = [document.text for document in read(tmp_path / "books.txt").documents()]
    assert texts == [book.strip("\n") for book in books]


START, END = MARK.format("START", "THE"), MARK.format("END", "THE")


@pytest.mark.parametrize(
    "text",
    [
        marked(BOOK).partition("*** END")[0],
        f"{START}\n\n{END}\n\n{BOOK}",
        f"{BOOK}\n{END}\n{BOOK}\n{START}\n{BOOK}",
        f"{START}\n{BOOK}\n{START}\n{BOOK}\n{END}\n{BOOK}",
        f"the line {START} is not alone\n{BOOK}\nand {END} is not",
    ],
)
def test_nothing_is_left_out_of_a_text_with_other_marks(text: str, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(text, "utf-8")
    source = read(tmp_path / "book.txt", few_works="keep")
    assert [document.text for document in source.documents()] == [text.strip("\n")] and not source.warnings
