from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.split import split_by_date, split_by_hash, unit_hash
from robo_poet.errors import BadInput

names = st.sets(st.text(min_size=1, max_size=8), min_size=3, max_size=60)


@given(names, names, st.integers(0, 99))
def test_works_that_are_added_move_no_other(first: set[str], added: set[str], seed: int) -> None:
    before, moved_before = split_by_hash(first, seed, 0.8, 0.1)
    after, moved_after = split_by_hash(first | added, seed, 0.8, 0.1)
    for group in first - set(moved_before) - set(moved_after):
        assert after[group] == before[group]


@given(names, st.integers(0, 99))
def test_no_split_is_empty_and_every_work_has_one(groups: set[str], seed: int) -> None:
    splits, moved = split_by_hash(groups, seed, 0.8, 0.1)
    assert splits.keys() == groups
    assert set(splits.values()) == {"train", "validation", "test"}
    assert len(moved) <= 2


@given(names)
def test_the_order_of_the_works_does_not_matter(groups: set[str]) -> None:
    assert split_by_hash(sorted(groups), 42, 0.8, 0.1) == split_by_hash(sorted(groups, reverse=True), 42, 0.8, 0.1)


def test_shares_are_kept() -> None:
    splits, moved = split_by_hash(map(str, range(5_000)), 42, 0.8, 0.1)
    counts = Counter(splits.values())
    assert moved == []
    assert 3_900 < counts["train"] < 4_100
    assert 430 < counts["test"] < 570


def test_the_smallest_hashes_fill_empty_splits() -> None:
    groups = [f"work {n}" for n in range(4)]
    splits, moved = split_by_hash(groups, 0, 0.999, 0.0005)
    order = sorted(groups, key=lambda g: unit_hash(0, g))
    assert moved == order[:2]
    assert [splits[g] for g in order] == ["validation", "test", "train", "train"]


def test_another_seed_is_another_split() -> None:
    groups = [str(n) for n in range(50)]
    assert split_by_hash(groups, 1, 0.8, 0.1) != split_by_hash(groups, 2, 0.8, 0.1)


@pytest.mark.parametrize("groups", [[], ["a"], ["a", "b"]])
def test_too_few_works(groups: list[str]) -> None:
    with pytest.raises(BadInput, match="needs at least 3"):
        split_by_hash(groups, 42, 0.8, 0.1)


def test_shares_that_leave_nothing() -> None:
    with pytest.raises(BadInput, match="leaves nothing for test"):
        split_by_hash("abc", 42, 0.9, 0.1)


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.dates().map(str), min_size=3, max_size=40))
def test_by_date_nothing_in_train_is_newer_than_test(dates: dict[str, str]) -> None:
    splits = split_by_date(dates, 42, 0.8, 0.1)
    of = {split: [dates[g] for g, s in splits.items() if s == split] for split in ("train", "validation", "test")}
    assert all(of.values())
    assert max(of["train"]) <= min(of["validation"]) <= max(of["validation"]) <= min(of["test"])


@pytest.mark.parametrize(("date", "says"), [("", "has no date"), ("3 May 1790", "not an ISO date"), ("17900503", "not an ISO date")])
def test_by_date_every_work_needs_one(date: str, says: str) -> None:
    with pytest.raises(BadInput, match=f"b: .*{says}"):
        split_by_date({"a": "1790", "b": date, "c": "1791-02-03"}, 42, 0.8, 0.1)
