"""Tables of numbers: by chance, one row in ten has the check digit of a card, and one in three the form of a telephone number.

Of 200 rows of random numbers, 5 to 20 % have a finding, and 37 % of those with three columns of three digits, which are Spanish telephones.
In a list of cards or telephones, all rows have. So a finding that is made of several columns counts only if most rows of its table have
one.

A finding counts always if one of its columns has seven digits, also with single spaces (`612 345 678`): perhaps only some of the people in
a table have a telephone, and a number too many is a smaller harm than a telephone that stays.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from robo_poet.privacy.findings import Finding

KINDS = frozenset({"CREDIT_CARD", "PHONE_NUMBER", "FR_INSEE", "DE_TAX_ID"})  # of digits alone
LEAST_ROWS, LEAST_NUMBERS = 3, 3
LEAST_SHARE = 0.6  # of the rows that have a finding
_ROW = re.compile(r"^(?P<label>[^\d\n]{0,40})(?P<numbers>\d[\d \t.,;|%]*)$", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_BETWEEN_COLUMNS = re.compile(r" {2,}|[\t|;]")
LEAST_DIGITS = 7  # of a telephone
_NAMED = re.compile(
    r"(?<![^\W\d_])(?:tels?|tlf|tfno|tele[fp]h?on\w*|teléfono|téléphone|phones?|fon|fono|fax|cel|celular|mobiles?|móvil(?:es)?|handy|whatsapp|"
    r"cards?|visa|mastercard|amex|credit|debit|tarjetas?|cartes?|(?:kredit)?karten?|contacts?|contactos?|kontakte?)(?![^\W\d_])",
    re.IGNORECASE,
)


def outside_tables(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings without those that tables of numbers have by chance."""
    numbers = sorted((finding for finding in findings if finding.entity in KINDS), key=lambda finding: finding.start)
    if not numbers:
        return list(findings)
    starts = [finding.start for finding in numbers]
    by_chance: set[Finding] = set()
    for table in _tables(text):
        first, last = bisect_left(starts, table[0].start()), bisect_left(starts, table[-1].end())
        by_chance.update(_by_chance(text, table, numbers[first:last]))
    return [finding for finding in findings if finding not in by_chance]


def _tables(text: str) -> Iterator[list[re.Match[str]]]:
    """Yield the tables: rows on successive lines, at least LEAST_ROWS. A row has at least LEAST_NUMBERS numbers, perhaps after a label."""
    rows: list[re.Match[str]] = []
    for row in _ROW.finditer(text):
        if len(_NUMBER.findall(row["numbers"])) < LEAST_NUMBERS:
            continue
        if rows and row.start() != rows[-1].end() + 1:
            if len(rows) >= LEAST_ROWS:
                yield rows
            rows = []
        rows.append(row)
    if len(rows) >= LEAST_ROWS:
        yield rows


def _by_chance(text: str, table: Sequence[re.Match[str]], findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield the findings of a table that do not count."""
    starts = [row.start() for row in table]
    rows_with_finding = {bisect_right(starts, finding.start) for finding in findings}
    heading = text.rfind("\n", 0, text.rfind("\n", 0, max(0, table[0].start() - 1)) + 1) + 1  # the two lines before the table
    if len(rows_with_finding) >= LEAST_SHARE * len(table) or _NAMED.search(text, heading, table[-1].end()):
        return
    for finding in findings:
        columns = _BETWEEN_COLUMNS.split(text[finding.start : finding.end])
        if all(sum(map(str.isdigit, column)) < LEAST_DIGITS for column in columns):
            yield finding
