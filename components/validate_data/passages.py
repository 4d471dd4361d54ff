"""Passages of the training text that are as long as prompts, to compare with prompts.

A prompt has some words and a document may have a million. Features of texts of different lengths differ, whatever they say: in ten words,
the share of digits is 0 or large. So each passage gets a length that is drawn from those of the prompts, and begins where a line or a
sentence begins, as prompts do.
"""

import heapq
import itertools
import re
from hashlib import sha256

from robo_poet.corpus.document import Document, language_code
from robo_poet.features.distributions import FeatureCounts
from robo_poet.features.features import FEATURES
from robo_poet.features.prompt_snapshot import count_passages, language_is_known

MOST_PASSAGES = 10_000  # with as many prompts, chance explains a divergence of 0.001
STRIDE = 1_000  # characters: a document has one passage for each, so a long document counts more than a short one, as in training
LOOK_BACK = 400  # characters before a drawn position in which a line or a sentence is looked for
_START = re.compile(r"\n\s*|[.!?…][\"'”’)\]]*\s+")
_SPACE = re.compile(r"\s")
LONGEST_WORD = 100  # characters; a longer one is cut
_EDGES = [f"{edge:.8g}" for edge in FEATURES["characters"].edges]


class Passages:
    """A seeded sample of at most 10,000 passages of the training split. It does not depend on the order of the documents.

    Args:
        prompts: distributions of the prompts, of which the length is read.
    """

    def __init__(self, seed: int, prompts: FeatureCounts) -> None:
        self.seed = seed
        lengths = {_EDGES.index(key): count for key, count in prompts.bins["characters"].items() if count}
        self._bins = sorted(lengths)
        self._ends = list(itertools.accumulate(lengths[number] for number in self._bins))
        self._heap: list[tuple[int, str, str]] = []  # (-hash, text, language); the largest hash is first

    def add(self, document: Document) -> None:
        """Offer the passages of a document; those of other splits than train do not count."""
        if document.split != "train":
            return
        for number in range(max(1, -(-len(document.text) // STRIDE))):
            drawn = sha256(f"{self.seed}\0{number}\0{document.id}".encode()).digest()
            rank = -int.from_bytes(drawn[:8], "big")
            if len(self._heap) == MOST_PASSAGES and rank <= self._heap[0][0]:
                continue
            length = self._length(_share(drawn[8:16]), _share(drawn[16:24]))
            if text := passage(document.text, int((number + _share(drawn[24:])) * STRIDE), length):
                heapq.heappush(self._heap, (rank, text, document.language))
                if len(self._heap) > MOST_PASSAGES:
                    heapq.heappop(self._heap)

    def counts(self) -> FeatureCounts:
        """Return the distributions of the passages."""
        passages = sorted(self._heap)
        return count_passages(
            (text, (language_code(language) if language else None) if language_is_known(text) else None) for _, text, language in passages
        )

    def _length(self, prompt: float, within: float) -> int:
        """Return a length in characters, from two numbers in [0, 1): which prompt, and where in its bin."""
        at = next(number for number, end in zip(self._bins, self._ends, strict=True) if prompt * self._ends[-1] < end)
        edges = FEATURES["characters"].edges
        low, high = edges[at], edges[min(at + 1, len(edges) - 1)]
        return max(1, int(low + within * (high - low)))


def _share(drawn: bytes) -> float:
    """Return a number in [0, 1)."""
    return int.from_bytes(drawn[:6], "big") / 2**48


def passage(text: str, position: int, length: int) -> str:
    """Return about `length` characters of a text from about `position` on, without white space at the ends.

    The whole text is returned if it is shorter. No word under 100 characters is cut.
    """
    position = min(position, max(0, len(text) - length))
    before = text[max(0, position - LOOK_BACK) : position]
    starts = [match.end() for match in _START.finditer(before)]
    if starts:
        start = position - len(before) + starts[-1]
    elif len(before) == position:
        start = 0
    else:
        start = position - len(before) + before.rfind(" ") + 1 if " " in before else position
    return text[start : _word_end(text, start, start + length)].strip()


def _word_end(text: str, start: int, end: int) -> int:
    """Return the end of a word that is nearest to `end`. Always the one before would make passages shorter than prompts."""
    if end >= len(text) or text[end].isspace():
        return end
    before = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
    space = _SPACE.search(text, end, end + LONGEST_WORD)
    after = space.start() if space else len(text) if end + LONGEST_WORD >= len(text) else end
    return before if before > start and end - before <= after - end else after
