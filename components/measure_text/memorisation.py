"""Memorisation metrics (EVAL-3): the longest verbatim match with the training text, computed exactly with a suffix array.

Method (Manber & Myers 1993; Lee et al. 2022):

- The suffixes of the texts and of the corpus are sorted together. For a position in a text, the longest match is one of two corpus
  suffixes: the nearest one before it or after it in this order.
- Suffixes are sorted by prefix doubling, only to the depth of the longest text.
- A large corpus is processed in parts of whole documents. The result is the same, because no match crosses a document boundary.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from components.measure_text.metric import RowMetric, largest, median, share
from components.measure_text.texts import Side
from components.measure_text.training_text import encode_texts
from robo_poet.evaluation.degeneration import words
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.evaluation import MeasureTextSettings

Integers = npt.NDArray[np.int64]
PART_TOKENS = 4_000_000  # corpus tokens per part, about 300 MB of memory


def longest_overlaps(corpus: Iterable[Sequence[int]], texts: Sequence[Sequence[int]]) -> list[int]:
    """Return the length in tokens of the longest match of each text with a document of the corpus.

    Args:
        corpus, texts: token IDs ≥ 0. A match never crosses the end of a document.
    """
    longest = np.zeros(len(texts), np.int64)
    for part in _parts(corpus):
        longest = np.maximum(longest, _overlaps(part, texts))
    return [int(number) for number in longest]


def _parts(corpus: Iterable[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    part: list[Sequence[int]] = []
    size = 0
    for document in corpus:
        if part and size + len(document) > PART_TOKENS:
            yield part
            part, size = [], 0
        part.append(document)
        size += len(document)
    yield part


def _overlaps(corpus: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]) -> Integers:
    longest_text = max(map(len, texts), default=0)
    if not longest_text or not any(map(len, corpus)):
        return np.zeros(len(texts), np.int64)
    tokens, starts = _joined([*corpus, *texts])
    order = _sorted_suffixes(tokens, longest_text)
    is_text = order >= starts[len(corpus)]  # positions that belong to texts
    corpus_ranks = np.where(is_text, -1, np.arange(len(order)))
    preceding = np.maximum.accumulate(corpus_ranks)
    following = np.minimum.accumulate(np.where(is_text, len(order), corpus_ranks)[::-1])[::-1]
    ranks = np.flatnonzero(is_text)
    lengths = np.zeros(len(ranks), np.int64)
    for neighbour in (preceding[ranks], following[ranks]):
        exists = (neighbour >= 0) & (neighbour < len(order))
        common = _common_prefix(tokens, order[ranks[exists]], order[neighbour[exists]], longest_text)
        lengths[exists] = np.maximum(lengths[exists], common)
    matches = np.zeros(len(texts), np.int64)
    np.maximum.at(matches, np.searchsorted(starts, order[ranks], side="right") - 1 - len(corpus), lengths)
    return matches


def _joined(sequences: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    """Concatenate all parts, each followed by a unique end symbol. Return the tokens and the start of each part."""
    first_end = 1 + max((max(sequence) for sequence in sequences if len(sequence)), default=0)
    sizes = np.asarray([len(sequence) + 1 for sequence in sequences], np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    tokens = np.empty(starts[-1], np.int64)
    for number, (sequence, start) in enumerate(zip(sequences, starts[:-1], strict=True)):
        tokens[start : start + len(sequence)] = sequence
        tokens[start + len(sequence)] = first_end + number
    return tokens, starts[:-1]


def _sorted_suffixes(tokens: Integers, depth: int) -> Integers:
    """Return the positions sorted by at least their first `depth` tokens (prefix doubling)."""
    order, ranks = _ranked(tokens)
    length = 1
    while length < depth and ranks[order[-1]] < len(tokens) - 1:
        following = np.zeros(len(tokens), np.int64)
        following[:-length] = ranks[length:] + 1
        order, ranks = _ranked(ranks * (len(tokens) + 1) + following)
        length *= 2
    return order


def _ranked(keys: Integers) -> tuple[Integers, Integers]:
    """Return the sort order of the keys, and the rank of each key among the distinct keys."""
    order: Integers = np.argsort(keys, kind="stable").astype(np.int64)
    sorted_keys = keys[order]
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = np.concatenate([[0], np.cumsum(sorted_keys[1:] != sorted_keys[:-1])])
    return order, ranks


def _common_prefix(tokens: Integers, left: Integers, right: Integers, limit: int) -> Integers:
    """Return the common prefix length of each pair of positions. End symbols are unique, so a match stops there."""
    common = np.zeros(len(left), np.int64)
    active = np.arange(len(left))
    for length in range(limit):
        inside = np.maximum(left[active], right[active]) + length < len(tokens)
        active = active[inside]
        active = active[tokens[left[active] + length] == tokens[right[active] + length]]
        if not len(active):
            break
        common[active] = length + 1
    return common


# tokens; a text of at least this length that occurs as a whole in the training text is a copy, even below `copied_tokens`
MINIMUM_WHOLE_COPY = 8


def copy_metrics(
    training: Iterable[str], tokenizer: Tokenizer, sides: tuple[Side, Side], settings: MeasureTextSettings
) -> tuple[dict[str, RowMetric], dict[str, RowMetric]]:
    """Return the copy metrics of the model and of the human references: share of copies, median and maximum of the longest match.

    A text is a copy if one of these occurs in a single training document:

    - a run of `copied_tokens` tokens;
    - a run of `copied_words` words, ignoring case and punctuation;
    - the whole text, if it has at least 8 tokens.

    Args:
        training: documents; iterated twice.
    """
    token_lists = [tokens for side in sides for tokens in side.tokens]
    matches = longest_overlaps(encode_texts(training, tokenizer), token_lists)
    word_ids: dict[str, int] = {}
    word_lists = [_word_ids(text, word_ids, new=True) for side in sides for text in side.words]
    word_matches = longest_overlaps((_word_ids(words(text), word_ids, new=False) for text in training), word_lists)
    copied = [
        token_match >= settings.copied_tokens
        or word_match >= settings.copied_words
        or (len(text) >= MINIMUM_WHOLE_COPY and token_match == len(text))
        for token_match, word_match, text in zip(matches, word_matches, token_lists, strict=True)
    ]
    count = len(sides[0].texts)

    def measures(rows: slice) -> dict[str, RowMetric]:
        return {
            "copied_share": share(copied[rows]), "longest_copy_median": median(matches[rows]), "longest_copy_max": largest(matches[rows]),
        }  # fmt: skip

    return measures(slice(count)), measures(slice(count, None))


def _word_ids(text_words: Sequence[str], word_ids: dict[str, int], *, new: bool) -> Sequence[int]:
    """Return the words as integers, without punctuation. A training word that occurs in no compared text is 0, which matches nothing."""
    unpunctuated: Iterator[str] = (word for word in text_words if word[0].isalnum())
    return [word_ids.setdefault(word, len(word_ids) + 1) if new else word_ids.get(word, 0) for word in unpunctuated]
