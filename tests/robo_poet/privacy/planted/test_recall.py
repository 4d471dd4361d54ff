from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_poet.corpus.document import Document
from robo_poet.judges.scrub_recall import missed, recall_sentence
from robo_poet.privacy.findings import Finding
from robo_poet.privacy.planted.identities import FORMATTED, KINDS
from robo_poet.privacy.planted.recall import EXCERPT, SENTENCES, Copy, excerpts_per_document, measure, plant, sample_excerpts
from robo_poet.settings.data import Policy

TEXT = "The night was dark. The moon rose slowly! Who was there?\nNobody spoke. "
DOCUMENTS = [Document(str(number), str(number), TEXT * (1 + number * 5), language="en") for number in range(30)]


def copies(policy: Policy = "full", count: int = 40) -> list[Copy]:
    return plant(sample_excerpts(DOCUMENTS, lambda _: policy, 42, count, excerpts_per_document(count, len(DOCUMENTS))), 42)


def all_planted(copy: Copy) -> list[Finding]:
    return [
        Finding("PERSON", start + value.start, start + value.end, 1.0, "oracle")
        for start, sentence in copy.sentences
        for value in sentence.planted
    ]


@settings(max_examples=30, deadline=None)
@given(st.permutations(DOCUMENTS), st.integers(0, 5))
def test_the_sample_does_not_depend_on_the_order_of_the_documents(documents: Sequence[Document], seed: int) -> None:
    def sample(order: Sequence[Document]) -> list[tuple[int, str, str]]:
        return [
            (e.rank, e.document.id, e.document.text)
            for e in sample_excerpts(order, lambda _: "full", seed, 40, excerpts_per_document(40, len(DOCUMENTS)))
        ]

    assert sample(documents) == sample(DOCUMENTS)


def test_a_sample_has_as_many_excerpts_as_asked_for_and_none_of_other_policies() -> None:
    excerpts = sample_excerpts(
        DOCUMENTS, lambda document: "none" if int(document.id) < 10 else "full", 42, 40, excerpts_per_document(40, len(DOCUMENTS))
    )
    assert len(excerpts) == 40 and {int(excerpt.document.id) for excerpt in excerpts} <= set(range(10, 30))
    assert all(len(excerpt.document.text) <= EXCERPT for excerpt in excerpts)
    texts = {document.id: document.text for document in DOCUMENTS}
    assert all(excerpt.document.text in texts[excerpt.document.id] for excerpt in excerpts)
    assert sample_excerpts(DOCUMENTS, lambda _: "none", 42, 40, excerpts_per_document(40, len(DOCUMENTS))) == []


def test_sentences_stand_where_the_copy_says_and_the_rest_is_the_excerpt() -> None:
    excerpts = {
        excerpt.rank: excerpt for excerpt in sample_excerpts(DOCUMENTS, lambda _: "full", 42, 40, excerpts_per_document(40, len(DOCUMENTS)))
    }
    for excerpt, copy in zip(excerpts.values(), copies(), strict=True):
        assert len(copy.sentences) == SENTENCES
        rest = text = copy.document.text
        for start, sentence in reversed(copy.sentences):
            assert text[start : start + len(sentence.text)] == sentence.text
            rest = rest[:start] + rest[start + len(sentence.text) :]
        assert "".join(rest.split()) == "".join(excerpt.document.text.split())


@pytest.mark.parametrize("policy", ["full", "patterns"])
def test_a_perfect_finder_has_a_recall_of_one_and_a_blind_one_of_zero(policy: Policy) -> None:
    planted = copies(policy)
    measured = measure(planted, [all_planted(copy) for copy in planted])
    row = measured["all"]
    assert (row["recall"], row["precision"], row["high"]) == (1.0, 1.0, 1.0) and 0.85 < row["low"] < 1
    assert set(measured["kind"]) <= set(KINDS.values()) and (policy == "full" or row["planted"] < row["findings"])
    assert {name for name, kind in measured["kind"].items() if kind["planted"]} <= (set(KINDS.values()) if policy == "full" else FORMATTED)
    assert not list(missed(measured))
    blind = measure(planted, [[] for _ in planted])
    assert (blind["all"]["recall"], blind["all"]["precision"], blind["all"]["f2"]) == (0.0, None, None)
    assert len(list(missed(blind))) == sum(row["planted"] > 0 for row in blind["kind"].values())


def test_a_value_that_is_covered_in_part_is_missed_and_a_finding_beside_it_is_wrong() -> None:
    planted = copies()
    cut = [[Finding(f.entity, f.start, f.end - 2, 1.0, "cut") for f in all_planted(copy)] for copy in planted]
    measured = measure(planted, cut)
    assert (measured["all"]["recall"], measured["all"]["precision"]) == (0.0, 1.0)
    whole = [[Finding("PERSON", start, start + len(s.text), 1.0, "all") for start, s in copy.sentences] for copy in planted]
    assert measure(planted, whole)["all"]["recall"] == 1.0
    outside = [[Finding("PERSON", 0, 1, 1.0, "wrong")] if copy.sentences[0][0] else [] for copy in planted]
    assert measure(planted, outside)["all"]["findings"] == 0  # the document's own text is not judged


def test_nothing_planted_is_said_so() -> None:
    measured = measure([], [])
    assert measured["all"]["recall"] is None and measured["kind"] == {}
    assert recall_sentence(measured) == "the recall of scrubbing was not measured: the policy of all documents is none"
    assert recall_sentence({}) == "the recall was not measured"


def test_the_result_has_counts_and_no_planted_value() -> None:
    planted = copies()
    published = str(measure(planted, [all_planted(copy) for copy in planted]))
    for copy in planted:
        for _, sentence in copy.sentences:
            assert all(sentence.text[value.start : value.end] not in published for value in sentence.planted if value.end - value.start > 5)
