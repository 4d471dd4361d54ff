from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from components.ingest.plan import follow, make_plan
from robo_poet.corpus.document import Document
from robo_poet.settings.ingest import IngestSettings


def works(count: int, each: int = 5, size: int = 1000) -> Callable[[], list[Document]]:
    return lambda: [
        Document(id=f"{work}/{n}", group=str(work), text=f"{work} {n} ".ljust(size, "x")) for work in range(count) for n in range(each)
    ]


@given(st.integers(3, 20), st.integers(1, 6), st.integers(0, 9))
def test_no_work_stands_on_two_sides(count: int, each: int, seed: int) -> None:
    documents = works(count, each, 20)
    written = list(follow(make_plan(documents(), IngestSettings(), seed), documents()))
    assert len({(d.group, d.split) for d in written}) == count
    assert len(written) == count * each


def test_a_sample_keeps_every_work_and_the_order() -> None:
    documents = works(10)
    plan = make_plan(documents(), IngestSettings(max_megabytes=0.02), 42)
    written = [d.id for d in follow(plan, documents())]
    assert len(written) == 20
    assert {name.split("/")[0] for name in written} == {str(n) for n in range(10)}
    assert written == [d.id for d in documents() if d.id in set(written)]
    assert "a sample of 20 of 50 documents" in " ".join(plan.warnings)
    other = make_plan(documents(), IngestSettings(max_megabytes=0.02), 43)
    assert other.keep != plan.keep


def test_the_split_of_a_sample_is_the_split_of_the_whole() -> None:
    documents = works(40)
    whole = make_plan(documents(), IngestSettings(), 42)
    assert make_plan(documents(), IngestSettings(max_megabytes=0.1), 42).splits == whole.splits


def test_repetitions_and_empty_texts_are_counted() -> None:
    documents = [
        *works(4, 1)(),
        Document(id="again", group="again", text="0 0 ".ljust(1000, "x")),
        Document(id="none", group="none", text=" \n"),
    ]
    plan = make_plan(documents, IngestSettings(), 42)
    assert plan.keep == [True] * 4 + [False] * 2
    assert plan.warnings[0] == "1 of 6 documents have no text and were dropped"
    assert plan.warnings[1] == "1 of 6 documents repeat another's text exactly and were dropped"


def test_text_is_normalised() -> None:
    documents = [Document(id=str(n), group=str(n), text=f"e\u0301 {n}\r\nnext\rlast") for n in range(3)]
    assert next(follow(make_plan(documents, IngestSettings(), 42), documents)).text == "é 0\nnext\nlast"
