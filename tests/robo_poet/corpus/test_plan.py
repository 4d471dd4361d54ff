from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.document import LIVE, MEGABYTE, Document
from robo_poet.corpus.first_reading import DocumentRecord
from robo_poet.corpus.plan import apply_plan, draw_sample, make_plan
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings


def works(count: int, each: int = 5, size: int = 1000) -> Callable[[], list[Document]]:
    return lambda: [
        Document(id=f"{work}/{n}", group=str(work), text=f"{work} {n} ".ljust(size, "x")) for work in range(count) for n in range(each)
    ]


@given(st.integers(3, 20), st.integers(1, 6), st.integers(0, 9))
def test_each_work_is_in_one_split(count: int, each: int, seed: int) -> None:
    documents = works(count, each, 20)
    written = list(apply_plan(make_plan(documents(), IngestSettings(), seed), documents()))
    assert len({(d.group, d.split) for d in written}) == count
    assert len(written) == count * each


def test_a_sample_keeps_every_work_and_the_order() -> None:
    documents = works(10)
    plan = make_plan(documents(), IngestSettings(), 42, megabytes=0.02)
    written = [d.id for d in apply_plan(plan, documents())]
    assert len(written) == 20
    assert {name.split("/")[0] for name in written} == {str(n) for n in range(10)}
    assert written == [d.id for d in documents() if d.id in set(written)]
    assert "a sample of 20 of 50 documents" in " ".join(plan.warnings)
    other = make_plan(documents(), IngestSettings(), 43, megabytes=0.02)
    assert other.keep != plan.keep


sizes = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 1000), st.floats(0, 1, exclude_max=True)), min_size=1, max_size=60)


def records(rows: list[tuple[int, int, float]]) -> list[DocumentRecord]:
    return [DocumentRecord(index, f"w{work}", f"w{work}", size, "", "", rank) for index, (work, size, rank) in enumerate(rows)]


@given(sizes, st.integers(1, 20_000))
def test_a_sample_is_full_and_in_reading_order_and_has_every_work_if_all_fit(rows: list[tuple[int, int, float]], size: int) -> None:
    documents = records(rows)
    kept = draw_sample(documents, size / MEGABYTE)
    used = sum(record.size for record in kept)
    assert used <= size
    assert [record.index for record in kept] == sorted({record.index for record in kept})
    smallest = {record.group: min(other.size for other in documents if other.group == record.group) for record in documents}
    if sum(smallest.values()) <= size:
        assert {record.group for record in kept} == smallest.keys()
    assert all(record in kept or record.size > size - used for record in documents)  # no other document fits


def test_a_large_document_does_not_end_the_sample() -> None:
    documents = records([(0, 10, 0.1), (1, 900, 0.2), (1, 10, 0.9), (2, 10, 0.3), (3, 10, 0.4)])
    assert [record.index for record in draw_sample(documents, 50 / MEGABYTE)] == [0, 2, 3, 4]


def test_a_sample_has_the_same_split_as_the_whole_corpus() -> None:
    documents = works(40)
    whole = make_plan(documents(), IngestSettings(), 42)
    assert make_plan(documents(), IngestSettings(), 42, megabytes=0.1).splits == whole.splits


def test_live_text_is_not_sampled() -> None:
    live = [
        Document(id=f"live {n}", group="", text=f"a prompt {n} ".ljust(3000, "x"), source=LIVE, date=f"2026-03-0{n}") for n in range(1, 5)
    ]
    documents = [*works(10)(), *live]
    plan = make_plan(documents, IngestSettings(), 42, megabytes=0.02)
    written = [document.id for document in apply_plan(plan, documents)]
    assert written[20:] == [document.id for document in live] and "a sample of 24 of 54 documents" in " ".join(plan.warnings)
    assert plan.keep[:50] == make_plan(works(10)(), IngestSettings(), 42, megabytes=0.02).keep


def test_duplicates_and_empty_texts_are_dropped_and_counted() -> None:
    documents = [
        *works(4, 1)(),
        Document(id="again", group="again", text="0 0 ".ljust(1000, "x")),
        Document(id="none", group="none", text=" \n"),
    ]
    plan = make_plan(documents, IngestSettings(), 42)
    assert plan.keep == [True] * 4 + [False] * 2
    assert plan.warnings[0] == "1 of 6 documents have no text and were dropped"
    assert plan.warnings[1] == f"1 of 6 documents are exact duplicates of another document and were dropped: again (of {documents[0].id})"


def test_a_warning_names_the_first_duplicates_and_counts_all() -> None:
    originals = [Document(id=str(n), group=str(n), text=f"text {n}") for n in range(3)]
    copies = [
        Document(id="1", group="1", text="text 1"),
        *(Document(id=f"copy{n}" * (1 + 30 * (n == 2)), group="", text="text 2") for n in range(8)),
    ]
    [warning, *_] = make_plan([*originals, *copies], IngestSettings(), 42).warnings
    assert warning.startswith(
        "9 of 12 documents are exact duplicates of another document and were dropped: 1 (of 1), copy0 (of 2), copy1 (of 2), "
    )
    assert warning.endswith("a document with a long id (of 2), copy3 (of 2) and 4 more")


def test_text_is_normalised() -> None:
    documents = [Document(id=str(n), group=str(n), text=f"e\u0301 {n}\r\nnext\rlast") for n in range(3)]
    assert next(apply_plan(make_plan(documents, IngestSettings(), 42), documents)).text == "é 0\nnext\nlast"


def unnamed(*texts: str) -> list[Document]:
    return [Document(id=f"p.txt#{n}", group="", text=text, source="user") for n, text in enumerate(texts, start=1)]


def splits_of_texts(documents: list[Document]) -> dict[str, str]:
    return {d.text: d.split for d in apply_plan(make_plan(documents, IngestSettings(), 42), documents)}


def test_a_work_without_a_name_keeps_its_split_if_works_are_inserted() -> None:
    poems = [f"a poem of the {n}th night" for n in range(60)]
    before = splits_of_texts(unnamed(*poems))
    after = splits_of_texts(unnamed("new on top", *poems, "and below"))
    assert {text: after[text] for text in poems} == before
    assert set(before.values()) == {"train", "validation", "test"}


def test_a_work_without_a_name_is_named_by_its_number() -> None:
    documents = unnamed("a", "b", "c")
    written = list(apply_plan(make_plan(documents, IngestSettings(), 42), documents))
    assert [(d.id, d.group) for d in written] == [(name, name) for name in ("p.txt#1", "p.txt#2", "p.txt#3")]


def test_a_number_that_equals_a_group_belongs_to_that_work() -> None:
    documents = [*unnamed(*map(str, range(40))), *(Document(id=f"x{n}", group=f"p.txt#{n}", text=f"x {n}") for n in range(1, 41))]
    written = list(apply_plan(make_plan(documents, IngestSettings(), 42), documents))
    assert len({(d.group, d.split) for d in written}) == 40


CHANGES = {
    "another text": lambda d: [replace(d[0], text="other"), *d[1:]],
    "another author": lambda d: [replace(d[0], author="other"), *d[1:]],
    "another text that is not kept": lambda d: [*d[:-1], replace(d[-1], text=" \n")],
    "one more": lambda d: [*d, replace(d[0], id="more", text="more")],
    "one less": lambda d: d[:-1],
    "another order": lambda d: [d[1], d[0], *d[2:]],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_changes_between_the_readings(change: str) -> None:
    documents = [*works(4, 1)(), Document(id="empty", group="empty", text="")]
    plan = make_plan(documents, IngestSettings(), 42, "poems.csv")
    with pytest.raises(BadInput, match=r"^poems.csv: the source changed while it was read; submit the run again"):
        list(apply_plan(plan, CHANGES[change](documents)))


def test_a_partly_dated_source_gives_a_warning() -> None:
    documents = [replace(d, source="user", date="1790-01-02" if int(d.group) else "soon") for d in works(5, 2)()]
    warning = make_plan(documents, IngestSettings(), 42).warnings[0]
    assert warning == "source user: 1 of 5 works have no ISO date, so this source is split by hash, not by date"
    assert "soon" not in warning
