import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.train_model.sampler import sample
from components.train_model.top_k import tournament


@given(st.integers(0, 10**6), st.integers(100, 4000), st.sampled_from([1, 2, 50, 100]), st.booleans())
def test_finds_what_top_k_finds(seed: int, width: int, k: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    values = (random.integers(0, 9, (3, width)) if ties else random.normal(size=(3, width))).astype(np.float32)
    found, places = (part.numpy() for part in tournament(tf.constant(values), k))
    expected = tf.math.top_k(values, k)
    assert (found == expected.values.numpy()).all()
    assert (np.take_along_axis(values, places, 1) == found).all()
    assert all(len(set(row)) == k for row in places.tolist())
    assert ties or (places == expected.indices.numpy()).all()


def test_where_all_but_few_are_masked_it_finds_those_and_no_place_beyond_the_row() -> None:
    values = np.full((2, 1999), -np.inf, np.float32)
    values[0, [3, 1998, 7]] = 5, 4, 3
    found, places = (part.numpy() for part in tournament(tf.constant(values), 50))
    assert places[0, :3].tolist() == [3, 1998, 7]
    assert np.isneginf(found[0, 3:]).all() and np.isneginf(found[1]).all()
    assert places.min() >= 0 and places.max() < 1999


def test_what_is_drawn_is_the_same() -> None:
    random = np.random.default_rng(1)
    logits = tf.constant(random.normal(scale=3, size=(64, 3000)), tf.float32)
    for most in (20, 50, 51, 100):
        options = (
            tf.fill([64], 0.8), tf.constant(random.integers(1, most + 1, 64), tf.int32), tf.fill([64], 0.95),
            tf.constant(random.random(64), tf.float32),
        )  # fmt: skip
        assert (sample(logits, *options) == sample(logits, *options, select=tournament)).numpy().all()


def test_what_a_row_draws_does_not_depend_on_how_many_others_choose_from() -> None:
    random = np.random.default_rng(2)
    logits = tf.constant(random.normal(size=(200, 500)), tf.float32)
    top_k, noise = tf.constant(random.integers(1, 51, 200), tf.int32), tf.constant(random.random(200), tf.float32)
    alone = sample(logits, tf.ones([200]), top_k, tf.ones([200]), noise)
    beside = sample(
        tf.concat([logits, logits[:1]], 0), tf.ones([201]), tf.concat([top_k, [100]], 0), tf.ones([201]), tf.concat([noise, [0.5]], 0)
    )
    assert (alone == beside[:-1]).numpy().all()
