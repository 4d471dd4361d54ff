"""Whether the model knows the order of words: the held-out text is compared with the same text whose words are shuffled (EVAL-1).

A model of shuffled words predicts held-out shuffled words well, and saves many bits over the unigram baseline. It saves nothing here,
because another order of its held-out words is as likely.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from robo_poet.corpus.document import Document
from robo_poet.evaluation.likelihood import DocumentLikelihood, bits_saved
from robo_poet.judges.estimate import Estimate

# Japanese, Chinese, Thai, Lao, Burmese and Khmer have no spaces between words.
WITHOUT_SPACES = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
WORD = re.compile(rf"[{WITHOUT_SPACES}]|[^\s{WITHOUT_SPACES}]+")
MINIMUM_WORDS = 8  # words of a document; a shorter document may keep its order by chance
SAMPLE_BYTES = 200_000  # bytes of UTF-8, about 50,000 tokens: they take 4 s on two CPU cores


def shuffle_words(text: str, seed: int) -> str:
    """Return the text with its words in another order. White space stays where it is, so lines have the same number of words."""
    words = WORD.findall(text)
    random.Random(seed).shuffle(words)
    order = iter(words)
    return WORD.sub(lambda _: next(order), text)


def word_order_sample(documents: Sequence[Document], seed: int) -> list[int]:
    """Return the numbers of the documents to shuffle, ascending: drawn with `seed`, of 8 words or more, together about 200 kB."""
    numbers = [number for number, document in enumerate(documents) if len(WORD.findall(document.text)) >= MINIMUM_WORDS]
    random.Random(seed).shuffle(numbers)
    chosen, size = [], 0
    for number in numbers:
        if size >= SAMPLE_BYTES:
            break
        chosen.append(number)
        size += len(documents[number].text.encode())
    return sorted(chosen)


def word_order_estimate(
    rows: Sequence[DocumentLikelihood],
    documents: Sequence[Document],
    likelihoods: Callable[[Sequence[Document]], list[DocumentLikelihood]],
    seed: int,
) -> Estimate | None:
    """Return the share of bits that the held-out text saves over its shuffled words; None if no document has 8 words.

    Args:
        rows: the likelihood of each document.
        documents: the held-out documents, in the order of `rows`.
        likelihoods: measures the likelihood of documents.
        seed: seed of the sample, the shuffling and the interval.
    """
    sample = word_order_sample(documents, seed)
    if not sample:
        return None
    shuffled = likelihoods([replace(documents[number], text=shuffle_words(documents[number].text, seed + number)) for number in sample])
    return bits_saved([rows[number] for number in sample], shuffled, seed)
