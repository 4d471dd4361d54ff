"""Of whose leave a corpus states how much; the other numbers are seen through the step (test_main.py)."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from components.validate_data.corpus_statistics import RIGHTS, measure
from robo_poet.corpus.document import Document


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.sampled_from(["", "yes, by letter"])), min_size=1, max_size=80))
def test_every_document_is_counted_once_and_what_states_nothing_comes_first(kinds: list[tuple[str, int, str]]) -> None:
    documents = [
        Document(str(n), str(n), "A line.", split="train", source=source, licence=f"L{licence}" if licence else " ", consent=consent)
        for n, (source, licence, consent) in enumerate(kinds)
    ]
    rights = measure(documents, ["en"], 42).rights
    assert len(rights) <= RIGHTS + 1
    assert sum(one["documents"] for one in rights) == len(kinds)
    assert sum(one["consent"] for one in rights) == sum(bool(consent) for _, _, consent in kinds)
    bare = Counter(source for source, licence, _ in kinds if not licence)
    assert {one["source"]: one["documents"] for one in rights[: len(bare)]} == bare
    assert all(one["licence"] != "" for one in rights[len(bare) :])
