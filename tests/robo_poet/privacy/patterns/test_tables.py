"""Columns of random numbers together are no cards and no telephones; lists of both are. All numbers are invented."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_poet.privacy.patterns.finder import PatternFinder
from robo_poet.privacy.patterns.identifiers import luhn
from robo_poet.settings.base import MIN_SCORE

FINDER = PatternFinder(MIN_SCORE)
SEPARATORS = ["  ", "\t", " | "]


def found(text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in FINDER.find(text)]


def table(seed: int, digits: int, columns: int, separator: str, rows: int = 30) -> list[str]:
    dice = random.Random(seed)
    return [separator.join(str(dice.randrange(10 ** (digits - 1), 10**digits)) for _ in range(columns)) for _ in range(rows)]


def cards(seed: int, count: int, separator: str) -> list[str]:
    """Cards with right check digits, in four groups."""
    dice, made = random.Random(seed), []
    while len(made) < count:
        digits = f"4{dice.randrange(10**15):015d}"
        if luhn(digits):
            made.append(separator.join(digits[start : start + 4] for start in range(0, 16, 4)))
    return made


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize(("digits", "columns"), [(4, 4), (4, 6), (3, 3), (3, 5), (2, 8), (5, 3), (6, 3), (1, 16)])
@pytest.mark.parametrize("label", ["", "Total sales"])
def test_columns_of_random_numbers_together_are_no_findings(digits: int, columns: int, separator: str, label: str) -> None:
    rows = [f"{label}{separator if label else ''}{row}" for row in table(7, digits, columns, separator)]
    assert found("\n".join(["Sales by month", *rows, "", "That was all."])) == []


@pytest.mark.parametrize(
    ("number", "separator"),
    [
        *itertools.product(["612345678", "4111 1111 1111 1111"], SEPARATORS),
        *itertools.product(["612 345 678"], SEPARATORS[1:]),  # between two spaces, the finder of telephones reads the next columns too
    ],
)
def test_a_number_in_one_column_is_found_although_few_rows_have_one(number: str, separator: str) -> None:
    rows = [separator.join((str(row), number if row == 14 else "0", "250")) for row in range(12, 20)]
    assert any(number in each for each in found("\n".join(rows)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.sampled_from([" ", "  ", "-"]), st.integers(0, 3))
def test_every_card_of_a_list_is_found(seed: int, count: int, separator: str, mistyped: int) -> None:
    listed = cards(seed, count, separator)
    wrong = [f"{row[:-1]}{(int(row[-1]) + 1) % 10}" for row in cards(seed + 1, min(mistyped, count // 2), separator)]
    text = "\n".join([*listed, *wrong])
    assert set(listed) <= set(found(text))


TELEPHONES = ["612 345 678", "622 111 222", "633 444 555", "644 777 888"]


@pytest.mark.parametrize(
    "rows",
    [
        TELEPHONES,
        [f"Ana  {number}" for number in TELEPHONES],
        [f"Ana\t{number}\t{age}" for age, number in enumerate(TELEPHONES, start=30)],
        TELEPHONES[:1],
        [*TELEPHONES[:1], "111 222 333"],
        ["Teléfono", *TELEPHONES[:1], "111 222 333", "111 222 334", "111 222 335"],
        ["111 222 333 is no number", *TELEPHONES[:1], "but this is"],
    ],
)
def test_every_telephone_number_of_a_list_is_found(rows: list[str]) -> None:
    text = "\n".join(rows)
    told = found(text)
    assert all(any(number in each for each in told) for number in TELEPHONES if number in text)


def test_words_and_addresses_beside_a_table_are_found() -> None:
    rows = [*table(3, 4, 4, "  "), "ada@example.org", *table(4, 4, 4, "  ")]
    assert {each in "ada@example.org" for each in found("\n".join(rows))} == {True}
