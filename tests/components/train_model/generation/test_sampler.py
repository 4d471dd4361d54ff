import numpy as np
import numpy.typing as npt
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.train_model.generation.sampler import sample, tournament_top_k, uniform


@given(st.integers(0, 10**6), st.integers(100, 4000), st.sampled_from([1, 2, 50, 100]), st.booleans())
def test_tournament_equals_top_k(seed: int, width: int, k: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    values = (random.integers(0, 9, (3, width)) if ties else random.normal(size=(3, width))).astype(np.float32)
    found, places = (part.numpy() for part in tournament_top_k(tf.constant(values), k))
    expected = tf.math.top_k(values, k)
    assert (found == expected.values.numpy()).all()
    assert (np.take_along_axis(values, places, 1) == found).all()
    assert all(len(set(row)) == k for row in places.tolist())
    assert ties or (places == expected.indices.numpy()).all()


def test_tournament_finds_the_few_unmasked_values_inside_the_row() -> None:
    values = np.full((2, 1999), -np.inf, np.float32)
    values[0, [3, 1998, 7]] = 5, 4, 3
    found, places = (part.numpy() for part in tournament_top_k(tf.constant(values), 50))
    assert places[0, :3].tolist() == [3, 1998, 7]
    assert np.isneginf(found[0, 3:]).all() and np.isneginf(found[1]).all()
    assert places.min() >= 0 and places.max() < 1999


def test_sampling_with_tournament_equals_sampling_with_top_k() -> None:
    random = np.random.default_rng(1)
    logits = tf.constant(random.normal(scale=3, size=(64, 3000)), tf.float32)
    for most in (20, 50, 51, 100):
        options = (
            tf.fill([64], 0.8), tf.constant(random.integers(1, most + 1, 64), tf.int32), tf.fill([64], 0.95),
            tf.constant(random.random(64), tf.float32),
        )  # fmt: skip
        assert (sample(logits, *options) == sample(logits, *options, select=tournament_top_k)).numpy().all()


def test_a_row_does_not_depend_on_top_k_of_other_rows() -> None:
    random = np.random.default_rng(2)
    logits = tf.constant(random.normal(size=(200, 500)), tf.float32)
    top_k, noise = tf.constant(random.integers(1, 51, 200), tf.int32), tf.constant(random.random(200), tf.float32)
    alone = sample(logits, tf.ones([200]), top_k, tf.ones([200]), noise)
    beside = sample(
        tf.concat([logits, logits[:1]], 0), tf.ones([201]), tf.concat([top_k, [100]], 0), tf.ones([201]), tf.concat([noise, [0.5]], 0)
    )
    assert (alone == beside[:-1]).numpy().all()


def slow_sample(logits: npt.NDArray[np.float32], temperature: float, top_k: int, top_p: float, noise: float) -> int:
    """One row, in plain steps: sort, cut to k, cut to the nucleus, walk until the noise is used up."""
    order = np.argsort(-logits, kind="stable")[: top_k or None]
    scaled = logits[order].astype(np.float64) / temperature
    shares = np.exp(scaled - scaled.max())
    shares /= shares.sum()
    kept = [share for share, before in zip(shares, np.cumsum(shares) - shares, strict=True) if before < top_p]
    walk = np.cumsum(kept) / np.sum(kept)
    return int(order[min(int((walk <= noise).sum()), len(kept) - 1)])


def draw(
    logits: npt.NDArray[np.float32], temperature: float, top_k: int, top_p: float, noise: npt.NDArray[np.float32]
) -> npt.NDArray[np.int32]:
    n = len(noise)
    rows = np.broadcast_to(logits, (n, len(logits)))
    options = np.full(n, temperature, np.float32), np.full(n, top_k, np.int32), np.full(n, top_p, np.float32)
    return sample(tf.constant(rows), *(tf.constant(o) for o in options), tf.constant(noise)).numpy()


@given(st.integers(0, 10**6), st.floats(0.1, 2.0), st.integers(0, 100), st.floats(0.1, 1.0))
def test_sample_equals_the_slow_reference(seed: int, temperature: float, top_k: int, top_p: float) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(scale=3, size=130).astype(np.float32)
    noise = random.random(50, np.float32)
    ours = draw(logits, temperature, top_k, top_p, noise)
    slow = [slow_sample(logits, temperature, top_k, top_p, float(u)) for u in noise]
    assert (ours == slow).mean() > 0.97  # float32 sums may differ where the noise falls on an edge


def test_top_k_1_is_greedy_and_every_row_has_its_own_options() -> None:
    logits = np.random.default_rng(1).normal(size=(4, 30)).astype(np.float32)
    chosen = sample(
        tf.constant(logits), tf.constant([2.0, 0.5, 1.0, 2.0]), tf.constant([1, 1, 0, 100]), tf.constant([1.0, 1.0, 0.1, 1.0]),
        tf.constant([0.99, 0.5, 0.0, 0.0]),
    ).numpy()  # fmt: skip
    assert (chosen == logits.argmax(1)).all()


def test_samples_follow_the_distribution() -> None:
    shares = np.array([0.5, 0.25, 0.15, 0.1])
    n = 40_000
    noise = uniform(tf.fill([n], tf.constant(9, tf.int64)), tf.range(n)).numpy()
    counts = np.bincount(draw(np.log(shares).astype(np.float32), 1.0, 0, 1.0, noise), minlength=4)
    expected = n * shares
    assert ((counts - expected) ** 2 / expected).sum() < 16.3  # chi-square, 3 degrees of freedom, p = 0.001


def test_the_noise_is_uniform_and_depends_only_on_seed_and_position() -> None:
    seeds = tf.constant([0, 1, 2**32, 2**62 + 5], tf.int64)
    rows = np.stack([uniform(seeds, tf.constant(position)).numpy() for position in range(2000)])
    assert rows.min() >= 0 and rows.max() < 1
    assert np.abs(rows.mean(0) - 0.5).max() < 0.03
    assert np.abs(np.corrcoef(rows.T) - np.eye(4)).max() < 0.08
    assert np.abs(np.corrcoef(rows[:-1, 0], rows[1:, 0])[0, 1]) < 0.08
    assert (uniform(seeds[2:3], tf.constant(77)).numpy() == rows[77, 2]).all()
