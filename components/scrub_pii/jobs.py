"""The jobs of the step: functions of the documents of a shard whose values do not depend on how the corpus is divided (contract 12)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from robo_poet.corpus.document import Document
from robo_poet.privacy.findings import Finding
from robo_poet.privacy.planted.recall import Excerpt, sample_excerpts
from robo_poet.privacy.scrub import Scrubber
from robo_poet.settings.data import ScrubSettings


@lru_cache(maxsize=2)
def _scrubber(settings: str, processes: int) -> Scrubber:
    """Return the scrubber of a process. It takes a second to make, and a worker has many shards."""
    return Scrubber(ScrubSettings.model_validate_json(settings), processes)


@dataclass(frozen=True)
class Find:
    """Yields the personal data of each document: one list of `[entity, start, end, score, recogniser]` per document, without text.

    Args:
        settings: `ScrubSettings` as JSON.
        processes: see `Scrubber`.
    """

    settings: str
    processes: int = 1

    @property
    def scrubber(self) -> Scrubber:
        """Return the scrubber of this process."""
        return _scrubber(self.settings, self.processes)

    def __call__(self, documents: Iterable[Document]) -> Iterator[Any]:
        for findings in self.scrubber.find(documents):
            yield [[f.entity, f.start, f.end, float(f.score), f.recognizer] for f in findings]


def findings_of(value: list[list[Any]]) -> list[Finding]:
    """Return the findings of a value of `Find`."""
    return [Finding(*row) for row in value]


@dataclass(frozen=True)
class Survey:
    """Yields one value: documents by policy, languages of the documents under `full`, and excerpts for planting.

    Args:
        find: the job that searches the documents afterwards.
        seed: of the excerpts.
        excerpts: number of excerpts.
        per_document: excerpts of one document.
    """

    find: Find
    seed: int
    excerpts: int
    per_document: int = 1

    def __call__(self, documents: Iterable[Document]) -> Iterator[Any]:
        scrubber = self.find.scrubber
        policies, languages = Counter[str](), Counter[str]()

        def counted() -> Iterator[Document]:
            for document in documents:
                policies[scrubber.policy(document)] += 1
                languages.update(scrubber.languages([document]))
                yield document

        excerpts = sample_excerpts(counted(), scrubber.policy, self.seed, self.excerpts, self.per_document)
        yield {"policies": policies, "languages": languages, "excerpts": [asdict(excerpt) for excerpt in excerpts]}


@dataclass
class Surveyed:
    """The sum of the values of `Survey`."""

    policies: Counter[str]
    languages: Counter[str]
    excerpts: list[Excerpt]

    @classmethod
    def of(cls, values: Iterable[dict[str, Any]], count: int) -> "Surveyed":
        """Return the sum, with the first `count` excerpts in the order of their ranks."""
        total = cls(Counter(), Counter(), [])
        for value in values:
            total.policies.update(value["policies"])
            total.languages.update(value["languages"])
            total.excerpts += [Excerpt(e["rank"], Document(**e["document"]), e["policy"]) for e in value["excerpts"]]
            total.excerpts = sorted(total.excerpts)[:count]
        return total

    @property
    def scrubbed(self) -> int:
        """Return the number of documents whose policy is not `none`."""
        return self.policies.total() - self.policies["none"]
