import time
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.slice_metrics.measures import MEASURES
from components.slice_metrics.slicing import LeftOut, slices
from robo_poet.evaluation.documents import SLICES, Measured
from robo_poet.judges.slices import parse_slice
from tests.components.slice_metrics.made import document, tables

DIMENSIONS = [*((column,) for column in SLICES), ("author", "period")]


@given(tables())
def test_the_slices_of_a_dimension_partition_the_documents_and_their_weighted_mean_is_the_whole(rows: list[Measured]) -> None:
    found, left_out = slices(rows, DIMENSIONS, 1000)
    assert left_out == [] and found[0].key == "" and list(found[0].rows) == list(range(len(rows)))
    for columns in DIMENSIONS:
        parts = [one for one in found if tuple(one.values) == columns]
        if any(all(getattr(row, column) == "" for row in rows) for column in columns):
            assert parts == []  # nothing to tell apart by
            continue
        assert sorted(row for one in parts for row in one.rows) == list(range(len(rows)))
        for measure in MEASURES.values():
            amounts, weights = measure.sums(rows)
            means = [amounts[one.rows].sum() / weights[one.rows].sum() for one in parts]
            shares = [weights[one.rows].sum() / weights.sum() for one in parts]
            assert np.dot(means, shares) == pytest.approx(amounts.sum() / weights.sum(), rel=1e-9)


@given(tables())
def test_each_slice_holds_the_documents_of_its_values_and_has_a_key_of_its_own(rows: list[Measured]) -> None:
    found, _ = slices(rows, DIMENSIONS, 1000)
    assert len({one.key for one in found}) == len(found)
    for one in found:
        assert {column: unquote(value) for column, value in parse_slice(one.key).items()} == one.values
        assert [row for row, doc in enumerate(rows) if all(getattr(doc, c) == v for c, v in one.values.items())] == list(one.rows)


@given(tables(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_most_documents_are_kept_whatever_the_order_of_rows(rows: list[Measured], most: int, dice) -> None:  # type: ignore[no-untyped-def]
    found, left_out = slices(rows, [("author",)], most)
    everything, _ = slices(rows, [("author",)], 1000)
    assert [one.key for one in found] == [one.key for one in everything][: most + 1]
    sizes = [len(one.rows) for one in everything[1:]]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(one.documents for one in left_out) == sum(sizes[most:]) and sum(one.slices for one in left_out) == len(sizes[most:])
    mixed = dice.sample(rows, len(rows))
    assert [(one.key, len(one.rows)) for one in slices(mixed, [("author",)], most)[0]] == [(one.key, len(one.rows)) for one in found]


def test_five_thousand_authors_are_cut_to_those_of_the_most_documents() -> None:
    rows = [document(n, author=f"author {n}") for n in range(5000)] + [document(5000 + n, author="author 7") for n in range(3)]
    began = time.process_time()
    found, left_out = slices(rows, [("author",), ("author", "period")], 40)
    assert time.process_time() - began < 2
    assert len(found) == 81 and found[1].values == {"author": "author 7"} and len(found[1].rows) == 4
    assert left_out == [LeftOut(("author",), 4960, 4960), LeftOut(("author", "period"), 4960, 4960)]
