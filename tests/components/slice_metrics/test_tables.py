import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from components.slice_metrics.tables import read_tables
from robo_poet.errors import BadInput
from robo_poet.evaluation.documents import Measured, write_measured
from tests.components.slice_metrics.made import champion_of, document, documents

ROWS = documents(6)


def read(tmp_path: Path, ours: Sequence[Measured], theirs: Sequence[Measured]) -> tuple[Sequence[Measured], Sequence[Measured] | None]:
    write_measured(tmp_path / "ours", ours)
    write_measured(tmp_path / "theirs", theirs)
    return read_tables(tmp_path / "ours", tmp_path / "theirs")


def test_both_are_read_in_the_same_order(tmp_path: Path) -> None:
    champion = champion_of(ROWS)
    assert read(tmp_path, ROWS[::-1], champion) == (ROWS, champion)


def test_a_table_without_rows_is_no_champion(tmp_path: Path) -> None:
    assert read(tmp_path, ROWS, []) == (ROWS, None)


def test_a_likelihood_that_is_no_number_is_let_through(tmp_path: Path) -> None:
    ours, _ = read(tmp_path, [replace(ROWS[0], nats=math.nan)], [])
    assert math.isnan(ours[0].nats)


@pytest.mark.parametrize(
    ("ours", "theirs", "where", "what"),
    [
        ([], ROWS, "ours", "no document was measured; give a corpus with a test split, and evaluate the model on it"),
        ([ROWS[0], ROWS[0]], [], "ours", "document 'd0000' is there twice; run the evaluation again"),
        ([replace(ROWS[0], bytes=0)], [], "ours", "document 'd0000' has 0 bytes; run the evaluation again"),
        (ROWS, [*ROWS[1:], replace(ROWS[0], tokens=0)], "theirs", "document 'd0000' has 0 tokens; run the evaluation again"),
        (ROWS, ROWS[:3], "theirs", "the champion was measured on other documents: 'd0003' is missing; run the evaluation again, both on one corpus"),
        (ROWS[1:], ROWS, "theirs", "the champion was measured on other documents: 'd0000' is none of the model’s; run the evaluation again, both on one corpus"),
        (ROWS, [*ROWS[:2], replace(ROWS[2], bytes=999), *ROWS[3:]], "theirs", "the champion was measured on other documents: 'd0002' has another bytes; run the evaluation again, both on one corpus"),
        ([document(group="a")], [document(group="b")], "theirs", "the champion was measured on other documents: 'd0000' has another group; run the evaluation again, both on one corpus"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_named(ours: list[Measured], theirs: list[Measured], where: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        read(tmp_path, ours, theirs)
    assert str(error.value) == f"{tmp_path / where}: {what}"
