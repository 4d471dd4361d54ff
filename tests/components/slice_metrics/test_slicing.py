import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.slice_metrics.analysis import RATIO_METRICS
from components.slice_metrics.slicing import LeftOut, read_tables, slices
from robo_poet.errors import BadInput
from robo_poet.evaluation.likelihood import SLICES, DocumentLikelihood, write_likelihoods
from robo_poet.judges.gate import parse_slice
from tests.components.slice_metrics.made import champion_of, document, documents, tables

ROWS = documents(6)


def read(
    tmp_path: Path, ours: Sequence[DocumentLikelihood], theirs: Sequence[DocumentLikelihood]
) -> tuple[Sequence[DocumentLikelihood], Sequence[DocumentLikelihood] | None]:
    write_likelihoods(tmp_path / "ours", ours)
    write_likelihoods(tmp_path / "theirs", theirs)
    return read_tables(tmp_path / "ours", tmp_path / "theirs")


def test_both_tables_are_read_in_the_same_order(tmp_path: Path) -> None:
    champion = champion_of(ROWS)
    assert read(tmp_path, ROWS[::-1], champion) == (ROWS, champion)


def test_a_table_without_rows_is_no_champion(tmp_path: Path) -> None:
    assert read(tmp_path, ROWS, []) == (ROWS, None)


def test_a_nan_likelihood_is_accepted(tmp_path: Path) -> None:
    ours, _ = read(tmp_path, [replace(ROWS[0], nats=math.nan)], [])
    assert math.isnan(ours[0].nats)


@pytest.mark.parametrize(
    ("ours", "theirs", "where", "what"),
    [
        ([], ROWS, "ours", "no document was measured; give a corpus with a test split, and evaluate the model on it"),
        ([ROWS[0], ROWS[0]], [], "ours", "two rows have the document id 'd0000'; run the evaluation again"),
        ([replace(ROWS[0], bytes=0)], [], "ours", "document 'd0000' has 0 bytes; run the evaluation again"),
        (ROWS, [*ROWS[1:], replace(ROWS[0], tokens=0)], "theirs", "document 'd0000' has 0 tokens; run the evaluation again"),
        (ROWS, ROWS[:3], "theirs", "the champion was measured on other documents: 'd0003' is missing; run the evaluation again, with both models on the same corpus"),
        (ROWS[1:], ROWS, "theirs", "the champion was measured on other documents: the new model was not measured on 'd0000'; run the evaluation again, with both models on the same corpus"),
        (ROWS, [*ROWS[:2], replace(ROWS[2], bytes=999), *ROWS[3:]], "theirs", "the champion was measured on other documents: 'd0002' has a different value in column bytes; run the evaluation again, with both models on the same corpus"),
        ([document(group="a")], [document(group="b")], "theirs", "the champion was measured on other documents: 'd0000' has a different value in column group; run the evaluation again, with both models on the same corpus"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_compared_are_an_error(
    ours: list[DocumentLikelihood], theirs: list[DocumentLikelihood], where: str, what: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput) as error:
        read(tmp_path, ours, theirs)
    assert str(error.value) == f"{tmp_path / where}: {what}"


DIMENSIONS = [*((column,) for column in SLICES), ("author", "period")]


@given(tables())
def test_the_slices_of_a_dimension_partition_the_documents(rows: list[DocumentLikelihood]) -> None:
    kept, left_out = slices(rows, DIMENSIONS, 1000)
    assert left_out == [] and kept[0].key == "" and list(kept[0].rows) == list(range(len(rows)))
    for columns in DIMENSIONS:
        partition = [slice_ for slice_ in kept if tuple(slice_.values) == columns]
        if any(all(getattr(row, column) == "" for row in rows) for column in columns):
            assert partition == []
            continue
        assert sorted(row for slice_ in partition for row in slice_.rows) == list(range(len(rows)))
        for metric in RATIO_METRICS.values():
            amounts, weights = metric.sums(rows)
            means = [amounts[slice_.rows].sum() / weights[slice_.rows].sum() for slice_ in partition]
            shares = [weights[slice_.rows].sum() / weights.sum() for slice_ in partition]
            assert np.dot(means, shares) == pytest.approx(amounts.sum() / weights.sum(), rel=1e-9)


@given(tables())
def test_each_slice_has_a_unique_key_and_the_documents_with_its_values(rows: list[DocumentLikelihood]) -> None:
    kept, _ = slices(rows, DIMENSIONS, 1000)
    assert len({slice_.key for slice_ in kept}) == len(kept)
    for slice_ in kept:
        assert {column: unquote(value) for column, value in parse_slice(slice_.key).items()} == slice_.values
        assert [row for row, doc in enumerate(rows) if all(getattr(doc, c) == v for c, v in slice_.values.items())] == list(slice_.rows)


@given(tables(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_largest_slices_are_kept_for_any_order_of_rows(rows: list[DocumentLikelihood], most: int, dice) -> None:  # type: ignore[no-untyped-def]
    kept, left_out = slices(rows, [("author",)], most)
    everything, _ = slices(rows, [("author",)], 1000)
    assert [slice_.key for slice_ in kept] == [slice_.key for slice_ in everything][: most + 1]
    sizes = [len(slice_.rows) for slice_ in everything[1:]]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(rest.documents for rest in left_out) == sum(sizes[most:]) and sum(rest.slices for rest in left_out) == len(sizes[most:])
    shuffled = dice.sample(rows, len(rows))
    assert [(slice_.key, len(slice_.rows)) for slice_ in slices(shuffled, [("author",)], most)[0]] == [
        (slice_.key, len(slice_.rows)) for slice_ in kept
    ]


def test_of_5000_authors_the_40_largest_are_kept_within_2_seconds() -> None:
    rows = [document(n, author=f"author {n}") for n in range(5000)] + [document(5000 + n, author="author 7") for n in range(3)]
    started = time.process_time()
    kept, left_out = slices(rows, [("author",), ("author", "period")], 40)
    assert time.process_time() - started < 2
    assert len(kept) == 81 and kept[1].values == {"author": "author 7"} and len(kept[1].rows) == 4
    assert left_out == [LeftOut(("author",), 4960, 4960), LeftOut(("author", "period"), 4960, 4960)]
