"""Seeded samples of text of 1 MB each, for what depends on the size of the text (a type/token ratio falls with it)."""

import heapq

from robo_poet.corpus.document import MEGABYTE
from robo_poet.digest import digest_bytes

SAMPLES = 5  # 5 MB held at most


class TextSample:
    """The texts of smallest hash of (seed, id), up to 5 MB, whatever the order in which they come."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._heap: list[tuple[int, str, str]] = []  # the largest hash on top
        self._size = 0

    def add(self, name: str, text: str) -> None:
        """Offer a text; one longer than a sample counts by its beginning."""
        text = text[:MEGABYTE]
        rank = int(digest_bytes(f"{self.seed}\0{name}".encode())[:16], 16)
        heapq.heappush(self._heap, (-rank, name, text))
        self._size += len(text)
        while self._size - len(self._heap[0][2]) >= SAMPLES * MEGABYTE:
            self._size -= len(heapq.heappop(self._heap)[2])

    def samples(self) -> list[str]:
        """One to five samples of a million characters; a smaller corpus is a single, smaller sample."""
        text = "\n".join(text for _, _, text in sorted(self._heap, reverse=True))
        count = min(SAMPLES, max(1, len(text) // MEGABYTE))
        return [text[number * MEGABYTE : (number + 1) * MEGABYTE] for number in range(count)]
