from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.readers.division import BLOCKS, FEWEST, LEAST, divide

SENTENCE = "It was a cold morning, and nobody in the house had slept. "
PARAGRAPH = SENTENCE * 8 + "\n\n"

LINES = st.sampled_from(["", "", "CHAPTER I", "Chapter 2. The House", "IV", "# A title", "Act III", "mixed words", SENTENCE, SENTENCE * 40])


@given(st.lists(LINES, max_size=60), st.sampled_from(["\n", "\n\n", " "]))
def test_the_parts_joined_are_the_text(lines: list[str], end: str) -> None:
    text = end.join(lines)
    division = divide(text)
    assert "".join(division.parts) == text
    assert len(division.parts) == 1 or len(division.parts) >= FEWEST
    assert bool(division.places) == (len(division.parts) > 1)


def book(heading: Callable[[int], str], chapters: int = 12, paragraphs: int = 10) -> str:
    return "Title\n\n" + "".join(f"{heading(number)}\n\n{PARAGRAPH * paragraphs}" for number in range(1, chapters + 1))


ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]


@pytest.mark.parametrize(
    "heading",
    [
        lambda n: f"CHAPTER {ROMAN[n - 1]}",
        lambda n: f"  Chapter {n}. The House",
        lambda n: f"Capítulo {ROMAN[n - 1]}",
        lambda n: f"CHAPITRE {n}",
        lambda n: f"Kapitel {n}",
        lambda n: f"## Part of the day {n}",
        lambda n: ROMAN[n - 1],
        lambda n: f"{ROMAN[n - 1]}.",
        lambda n: f"Chapter the {'First Second Third Fourth Fifth Sixth'.split()[n % 6]}. In which {n} people meet",
        lambda n: f"Act {n}, Scene 1",
        lambda n: f"BOOK {ROMAN[n - 1]} The Sea",
        lambda n: f"CHAPTER TWENTY-{'ONE TWO THREE FOUR FIVE SIX'.split()[n % 6]}",
    ],
)
def test_a_book_is_cut_at_the_headings_of_its_chapters(heading: Callable[[int], str]) -> None:
    division = divide(book(heading))
    starts = [part.splitlines()[0] for part in division.parts]
    assert all(heading(number) in starts for number in range(2, 13))
    assert "headings" in division.places and len(division.parts) <= BLOCKS * 2


@pytest.mark.parametrize(
    "line",
    [
        "I went home.",
        "chapter and verse were read",
        "the first act was long",
        "I\nwent home",
        "Part of me wanted to go home.",
        "Act quickly, or it is too late.",
        "Act two more times before it is late.",
        "Book lovers filled the room.",
        "Teil der Stadt brannte nieder.",
        "Letter by letter she read it.",
    ],
)
def test_a_sentence_is_no_heading(line: str) -> None:
    text = (f"{line}\n\n{PARAGRAPH * 10}") * 12
    assert divide(text).places == {"blank lines"}


def test_the_lines_of_a_table_of_contents_are_no_parts() -> None:
    contents = "".join(f"CHAPTER {number}\n\n" for number in ROMAN)
    text = contents + book(lambda n: f"CHAPTER {ROMAN[n - 1]}")
    assert min(map(len, divide(text).parts)) >= LEAST // 2


@pytest.mark.parametrize(("end", "place"), [("\n\n", "blank lines"), ("\n", "line ends"), (" ", "blanks")])
def test_a_text_without_headings_is_cut_into_blocks(end: str, place: str) -> None:
    text = (SENTENCE + end) * 3_000
    division = divide(text)
    assert division.places == {place} and len(division.parts) == BLOCKS
    assert max(map(len, division.parts)) < 1.1 * len(text) / BLOCKS


@pytest.mark.parametrize("text", ["", "x", SENTENCE, "x" * 100_000, (SENTENCE + "\n\n") * 80])
def test_a_short_text_stays_whole(text: str) -> None:
    assert divide(text).parts == [text]
