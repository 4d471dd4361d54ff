from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from robo_poet.corpus.split import Work, is_iso_date, split_by_date, split_by_hash, split_works, unit_hash
from robo_poet.errors import BadInput

names = st.sets(st.text(min_size=1, max_size=8), min_size=3, max_size=60)
dates = st.dictionaries(st.text(min_size=1, max_size=6), st.dates().map(str), min_size=3, max_size=40)
SPLITS = ("train", "validation", "test")


def works(groups: Iterable[str]) -> dict[str, Work]:
    return {group: Work(group) for group in groups}


def dated(of: dict[str, str], source: str = "s") -> dict[str, Work]:
    return {name: Work(name, source, date) for name, date in of.items()}


@given(names, names, st.integers(0, 99))
def test_works_that_are_added_move_no_other(first: set[str], added: set[str], seed: int) -> None:
    before, moved_before = split_by_hash(works(first), seed, 0.8, 0.1)
    after, moved_after = split_by_hash(works(first | added), seed, 0.8, 0.1)
    for group in first - set(moved_before) - set(moved_after):
        assert after[group] == before[group]


@given(names, st.integers(0, 99))
def test_no_split_is_empty_and_every_work_has_one(groups: set[str], seed: int) -> None:
    splits, moved = split_by_hash(works(groups), seed, 0.8, 0.1)
    assert splits.keys() == groups
    assert set(splits.values()) == set(SPLITS)
    assert len(moved) <= 2


@given(names)
def test_the_order_of_the_works_does_not_matter(groups: set[str]) -> None:
    assert split_by_hash(works(sorted(groups)), 42, 0.8, 0.1) == split_by_hash(works(sorted(groups, reverse=True)), 42, 0.8, 0.1)


@given(names)
def test_the_key_decides_and_not_the_name(groups: set[str]) -> None:
    by_key = split_by_hash(works(groups), 42, 0.8, 0.1)[0]
    renamed = {f"#{n}": Work(group) for n, group in enumerate(sorted(groups))}
    splits = split_by_hash(renamed, 42, 0.8, 0.1)[0]
    assert {work.key: splits[name] for name, work in renamed.items()} == by_key


def test_shares_are_kept() -> None:
    splits, moved = split_by_hash(works(map(str, range(5_000))), 42, 0.8, 0.1)
    counts = Counter(splits.values())
    assert moved == []
    assert 3_900 < counts["train"] < 4_100
    assert 430 < counts["test"] < 570


def test_the_smallest_hashes_fill_empty_splits() -> None:
    groups = [f"work {n}" for n in range(4)]
    splits, moved = split_by_hash(works(groups), 0, 0.999, 0.0005)
    order = sorted(groups, key=lambda g: unit_hash(0, g))
    assert moved == order[:2]
    assert [splits[g] for g in order] == ["validation", "test", "train", "train"]


def test_another_seed_is_another_split() -> None:
    groups = works(str(n) for n in range(50))
    assert split_by_hash(groups, 1, 0.8, 0.1) != split_by_hash(groups, 2, 0.8, 0.1)


@pytest.mark.parametrize("groups", [[], ["a"], ["a", "b"]])
def test_too_few_works(groups: list[str]) -> None:
    with pytest.raises(BadInput, match=f"^poems: the corpus has {len(groups)} works?, .*needs at least 3"):
        split_works(works(groups), 42, 0.8, 0.1, where="poems")


def test_shares_that_leave_nothing_for_test_are_refused() -> None:
    with pytest.raises(BadInput, match="leaves nothing for test"):
        split_works(works("abc"), 42, 0.9, 0.1)


@given(dates)
def test_by_date_train_is_never_newer_than_test(of: dict[str, str]) -> None:
    splits = split_by_date(dated(of), 42, 0.8, 0.1)
    found = {split: [of[g] for g, s in splits.items() if s == split] for split in SPLITS}
    assert all(found.values())
    assert max(found["train"]) <= min(found["validation"]) <= max(found["validation"]) <= min(found["test"])


@given(dates, dates, st.integers(0, 9), st.sampled_from([(0.8, 0.1), (0.5, 0.25), (0.98, 0.01)]))
def test_newer_works_never_move_a_document_towards_test(
    of: dict[str, str], added: dict[str, str], seed: int, shares: tuple[float, float]
) -> None:
    newest = max(of.values())
    newer = {f"new {name}": date for name, date in added.items() if date > newest}
    assume(newer)
    before = split_by_date(dated(of), seed, *shares)
    after = split_by_date(dated(of | newer), seed, *shares)
    assert all(SPLITS.index(after[name]) <= SPLITS.index(before[name]) for name in of)


@pytest.mark.parametrize(
    ("date", "says"),
    [
        ("", "has no date"),
        ("3 May 1790", "its date is not an ISO date"),
        ("17900503", "date '17900503' is not an ISO date"),
        ("1790-13", "date '1790-13' is not"),
    ],
)
def test_by_date_every_work_needs_one(date: str, says: str) -> None:
    of = dated({"a": "1790", "b": date, "c": "1791-02-03"})
    with pytest.raises(BadInput, match=f"^poems: b: {says}"):
        split_works(of, 42, 0.8, 0.1, "date", "poems")
    assert set(split_works(of, 42, 0.8, 0.1, "auto")[0].values()) == set(SPLITS)


@given(dates, names)
def test_auto_chooses_hash_or_date_for_each_source(of: dict[str, str], groups: set[str]) -> None:
    mixed = {f"dated {name}": work for name, work in dated(of, "speeches").items()} | works(groups)
    splits, _ = split_works(mixed, 42, 0.8, 0.1)
    assert {name: splits[f"dated {name}"] for name in of} == split_by_date(dated(of), 42, 0.8, 0.1)
    assert {name: splits[name] for name in groups} == split_by_hash(works(groups), 42, 0.8, 0.1)[0]
    assert split_works(mixed, 42, 0.8, 0.1, "hash") == split_by_hash(mixed, 42, 0.8, 0.1)


def test_one_work_without_date_makes_its_source_undated() -> None:
    of = dated({str(n): f"17{n:02d}" for n in range(50)})
    assert split_works(of, 42, 0.8, 0.1)[0] == split_by_date(of, 42, 0.8, 0.1)
    of["7"] = replace(of["7"], date="")
    assert split_works(of, 42, 0.8, 0.1) == split_by_hash(of, 42, 0.8, 0.1)


def test_two_undated_works_beside_a_dated_source() -> None:
    splits, moved = split_works(dated({str(n): f"17{n:02d}" for n in range(9)}) | works("ab"), 42, 0.8, 0.1)
    assert len(splits) == 11
    assert moved == []


@pytest.mark.parametrize(
    "date", ["1790", "1790-05", "1790-05-03", "2020-02-29", "2020-01-02T03:04:05", "2020-01-02 03:04:05.678+01:00", "2020-01-02T03Z"]
)
def test_iso_dates(date: str) -> None:
    assert is_iso_date(date)


@pytest.mark.parametrize(
    "date",
    ["", "179", "17900503", "1790-13", "1790-02-30", "2021-02-29", "2020-01-02 Anna", "2020-01-02T", "2020-W01", "١٧٩٠", "1790\n", "0000"],
)
def test_no_iso_dates(date: str) -> None:
    assert not is_iso_date(date)
