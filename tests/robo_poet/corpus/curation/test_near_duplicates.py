"""Near-duplicates are found, and only true ones, in any order of the documents and in any batches."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_poet.corpus.curation import near_duplicates as module
from robo_poet.corpus.curation.near_duplicates import ShingleStore, band_keys, bands_of, choose, shared_buckets
from robo_poet.corpus.curation.shingles import shingles, similarity

VOCABULARY = [f"{first}{last}" for first in "b d f g l m n p r s t".split() for last in "ear ine oat ull ink".split()]


def poem(seed: int, words: int = 60) -> list[str]:
    rng = random.Random(seed)
    return [rng.choice(VOCABULARY) for _ in range(words)]


def edited(words: list[str], share: float, seed: int) -> list[str]:
    rng = random.Random(seed)
    changed = set(rng.sample(range(len(words)), round(share * len(words))))
    return [f"new{seed}x{number}" if number in changed else word for number, word in enumerate(words)]


def found(texts: list[str], wanted: float = 0.7) -> list[tuple[int, int, float]]:
    """Return the near-duplicates; longer texts are kept, then the first by alphabet."""
    with ShingleStore(wanted) as store:
        for text in texts:
            store.add(shingles(text))
        order = sorted(range(len(texts)), key=lambda number: (-len(texts[number]), texts[number]))
        pairs, uncertain = store.find(np.array(order, np.int64))
    assert uncertain == 0
    return [(pair.position, pair.kept, pair.similarity) for pair in pairs]


@st.composite
def families(draw: st.DrawFn) -> list[str]:
    """Return texts, of which some are edited copies of others, also copies of copies."""
    texts = [poem(draw(st.integers(0, 5)), draw(st.integers(1, 70)))]
    for _ in range(draw(st.integers(0, 14))):
        source = draw(st.sampled_from(texts))
        seed = draw(st.integers(0, 99))
        texts.append(
            draw(st.sampled_from([edited(source, draw(st.sampled_from([0.02, 0.05, 0.1, 0.3])), seed), source + poem(seed, 4), poem(seed)]))
        )
    return sorted({" ".join(text) for text in texts})


@settings(max_examples=60, deadline=None)
@given(families(), st.randoms(use_true_random=False), st.sampled_from([1, 3, 4096]))
def test_the_result_does_not_depend_on_order_and_batches(texts: list[str], rng: random.Random, batch: int) -> None:
    expected = {(texts[copy], texts[kept], value) for copy, kept, value in found(texts)}
    shuffled = rng.sample(texts, len(texts))
    before, module.BATCH = module.BATCH, batch
    try:
        assert {(shuffled[copy], shuffled[kept], value) for copy, kept, value in found(shuffled)} == expected
    finally:
        module.BATCH = before


@settings(max_examples=60, deadline=None)
@given(families())
def test_every_near_duplicate_is_like_a_kept_document_and_no_two_kept_documents_are_alike(texts: list[str]) -> None:
    pairs = found(texts)
    dropped = {copy for copy, _, _ in pairs}
    for copy, kept, value in pairs:
        assert kept not in dropped
        assert value == similarity(shingles(texts[copy]), shingles(texts[kept])) >= 0.7
    sets = [shingles(text) for number, text in enumerate(texts) if number not in dropped]
    # a pair of exactly the wanted similarity is a candidate with a probability of 0.98, one that is more alike nearly always
    assert all(similarity(first, second) < 0.8 for first, second in combinations(sets, 2))


def test_a_chain_keeps_its_different_ends() -> None:
    a = poem(1, 100) + ["last", "words"]
    b = edited(a, 0.06, 2)[:101]
    c = edited(b, 0.06, 3)[:100]
    sets = [shingles(" ".join(text)) for text in (a, b, c)]
    assert similarity(sets[0], sets[1]) > 0.65 < similarity(sets[1], sets[2]) and similarity(sets[0], sets[2]) < 0.65
    with ShingleStore(0.65) as store:
        for hashes in sets:
            store.add(hashes)
        pairs, _ = store.find(np.arange(3))
    assert [(pair.position, pair.kept) for pair in pairs] == [(1, 0)]


@pytest.mark.parametrize(("share", "recall"), [(0.01, 1.0), (0.05, 0.97), (0.1, 0.0), (0.2, 0.0), (0.5, 0.0)])
def test_recall_by_share_of_changed_words(share: float, recall: float) -> None:
    texts = []
    for seed in range(60):
        texts += [" ".join(poem(seed, 400)), " ".join(edited(poem(seed, 400), share, seed))]
    pairs = {tuple(sorted(pair[:2])) for pair in found(texts)}
    assert pairs <= {(number, number + 1) for number in range(0, len(texts), 2)}, "only true ones"
    assert len(pairs) / 60 >= recall and (recall or not pairs)


def test_templates_with_one_other_word_are_short_texts() -> None:
    assert (
        found([f"Poem number {number} is about the sea, the wind and {number} grey gulls over the harbour wall." for number in range(300)])
        == []
    )


def test_texts_without_words_are_kept() -> None:
    assert found(["…", "!!", "—"]) == [] == found([])


def test_the_work_in_a_corpus_of_one_template_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of texts of similarity just below the bound: a document is compared with 16 others at most."""
    compared = 0

    def counted(first: np.ndarray, second: np.ndarray) -> float:
        nonlocal compared
        compared += 1
        return similarity(first, second)

    monkeypatch.setattr(module, "similarity", counted)
    template = poem(1, 100)
    sets = [shingles(" ".join(edited(template, 0.05, seed))) for seed in range(600)]
    with ShingleStore(0.7) as store:
        for hashes in sets:
            store.add(hashes)
        _, uncertain = store.find(np.arange(len(sets)))
    assert compared <= 16 * len(sets)
    assert uncertain > 0


@pytest.mark.parametrize("wanted", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_a_pair_of_the_wanted_similarity_is_a_candidate(wanted: float) -> None:
    bands, rows = bands_of(wanted)
    assert bands * rows <= 128 and 1 - (1 - wanted**rows) ** bands >= 0.98
    rng, hits = np.random.default_rng(1), 0
    for _ in range(60):
        common = rng.integers(0, 2**63, round(300 * wanted), dtype=np.uint64)
        first, second = (np.concatenate([common, rng.integers(0, 2**63, (300 - len(common)) // 2, dtype=np.uint64)]) for _ in range(2))
        keys = band_keys([first, second], wanted)
        hits += bool((keys[0] == keys[1]).any())
    assert hits >= 55


def test_pure_functions_of_batches_give_the_result_of_the_store() -> None:
    """A distributed form computes the keys of each shard apart."""
    texts = [" ".join(edited(poem(seed // 3), 0.03, seed)) for seed in range(30)]
    sets = [shingles(text) for text in texts]
    keys = np.concatenate([band_keys(sets[start : start + 7], 0.7) for start in range(0, 30, 7)])
    order = np.array(sorted(range(30), key=lambda number: (-len(texts[number]), texts[number])), np.int64)
    pairs, _ = choose(shared_buckets(keys, np.ones(30, bool)), np.array([len(one) for one in sets]), order, sets.__getitem__, 0.7)
    assert [(pair.position, pair.kept, pair.similarity) for pair in pairs] == found(texts)
