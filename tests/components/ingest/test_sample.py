from hypothesis import given
from hypothesis import strategies as st

from components.ingest.sample import Seen, sample
from robo_poet.corpus.document import MEGABYTE

sizes = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 1000), st.floats(0, 1, exclude_max=True)), min_size=1, max_size=60)


def seen(rows: list[tuple[int, int, float]]) -> list[Seen]:
    return [Seen(place, f"w{work}", f"w{work}", size, "", "", rank) for place, (work, size, rank) in enumerate(rows)]


@given(sizes, st.integers(1, 20_000))
def test_it_fits_keeps_the_order_and_every_work_it_can(rows: list[tuple[int, int, float]], room: int) -> None:
    documents = seen(rows)
    kept = sample(documents, room / MEGABYTE)
    used = sum(one.size for one in kept)
    assert used <= room
    assert [one.place for one in kept] == sorted({one.place for one in kept})
    smallest = {one.group: min(other.size for other in documents if other.group == one.group) for one in documents}
    if sum(smallest.values()) <= room:
        assert {one.group for one in kept} == smallest.keys()
    assert all(one in kept or one.size > room - used for one in documents)  # what would still fit is there


def test_a_large_document_does_not_end_the_sample() -> None:
    documents = seen([(0, 10, 0.1), (1, 900, 0.2), (1, 10, 0.9), (2, 10, 0.3), (3, 10, 0.4)])
    assert [one.place for one in sample(documents, 50 / MEGABYTE)] == [0, 2, 3, 4]
