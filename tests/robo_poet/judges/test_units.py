import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.units import MINIMUM_WORKS, units


@given(st.lists(st.sampled_from([f"w{n}" for n in range(14)]), min_size=1, max_size=60), st.sampled_from([5, MINIMUM_WORKS]))
def test_works_are_the_units_where_there_are_enough_and_documents_else(works: list[str], fewest: int) -> None:
    found, count = units(works, fewest=fewest), len(set(works))
    if count >= fewest:
        assert len(set(found.of.tolist())) == count and found.name == "work"
        assert all((found.of[a] == found.of[b]) == (works[a] == works[b]) for a in range(len(works)) for b in range(a))
    else:
        assert found.of.tolist() == list(range(len(works))) and found.name == "document"


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 9)), min_size=1, max_size=30))
def test_sums_are_those_of_each_unit(rows: list[tuple[str, float]]) -> None:
    works, numbers = zip(*rows, strict=True)
    summed, counted = units(works, fewest=1).sums(numbers, np.ones(len(rows)))
    for unit, name in enumerate(sorted(set(works))):
        of = [number for work, number in rows if work == name]
        assert (summed[unit], counted[unit]) == (pytest.approx(sum(of)), len(of))


def test_rows_of_one_document_are_one_unit_where_works_are_few() -> None:
    found = units(["w"] * 12, list("bbacabdededf"))
    assert (found.name, found.of.tolist()) == ("document", [1, 1, 0, 2, 0, 1, 3, 4, 3, 4, 3, 5])
    assert (found.works, found.documents, found.scope) == (1, 6, " within 1 work")
    assert units([f"w{n}" for n in range(12)], ["d"] * 12).name == "work"


def test_no_rows_give_no_units() -> None:
    assert [each.size for each in units([]).sums([])] == [0]


@pytest.mark.parametrize(
    "documents", [["a"] * 9, list("aaabbbccc"), list("abcd") * 3, ["a"] * 40 + list("bcdef")], ids=["one", "three", "four", "one large"]
)
def test_parts_are_the_units_where_documents_are_few_or_one_holds_nearly_all(documents: list[str]) -> None:
    found = units(["w"] * len(documents), documents, part="prompt")
    assert found.name == "prompt" and found.of.tolist() == list(range(len(documents)))
    count = len(set(documents))
    assert found.scope == f" within {count} document{'s' * (count != 1)}"


def test_documents_without_parts_stay_the_units() -> None:
    assert units(["w"] * 3, ["a", "b", "c"]).name == units(["w"] * 3).name == "document"
    assert units([f"w{n}" for n in range(10)]).scope == ""
