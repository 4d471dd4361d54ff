"""The examination of documents by the workers of a Beam runner. The results are those of `ExaminationHere` (contract 12).

The step writes the documents of the source into a Parquet file in the folder of the runner, because workers cannot read every kind of
source in parts. Then three pipelines run:

1. Each document is examined: the digest of its text, and the quality rules. The step finds exact duplicates by the digests, and chooses.
2. The chosen documents are signed and grouped by their band keys (`GroupByKey`).
3. The shingles are computed of the documents that share a band key with another. The step compares them and chooses the representatives,
   with the same function as without a runner.

Of the documents without a shared band key, the step has only the records of the first reading.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from components.ingest.jobs import ChosenShard, Examine, GroupByKeys, Shingles, examined_of, group_of, shingles_of
from robo_poet.corpus.curation.examination import Examined
from robo_poet.corpus.curation.near_duplicates import Buckets, NearDuplicate, ShingleFile, choose
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.distributed.run import Distributed
from robo_poet.distributed.shards import FileShard
from robo_poet.settings.data import IngestSettings


class DistributedExamination:
    """See `robo_poet.corpus.curation.examination.Examination`."""

    def __init__(self, runs: Distributed, settings: IngestSettings) -> None:
        self._runs = runs
        self._bounds = settings.quality.model_dump_json()
        self._wanted = settings.near_duplicate_similarity
        self._shards: list[tuple[FileShard, bytearray]] = []  # with a flag for each document: 1 if it was chosen
        self._files = 0
        self._chosen = 0

    def examined(self, documents: Iterable[Document]) -> Iterator[tuple[Document, Examined | None]]:
        """Yield each document in its order with what is measured, after all of them were read and examined."""
        path = self._runs.folder / f"source-{self._files}"
        self._files += 1
        if not write_documents(path, documents):
            return
        shards = self._runs.shards(path)
        values = self._runs.run(Examine(self._bounds), shards)
        for shard in shards:
            flags = bytearray()
            self._shards.append((shard, flags))
            for document in shard.documents():
                flags.append(0)
                yield document, examined_of(next(values))

    def choose(self) -> None:
        """Let the document that was yielded last take part in the search."""
        self._shards[-1][1][-1] = 1
        self._chosen += 1

    def chosen(self) -> int:
        """Return the number of chosen documents."""
        return self._chosen

    def near_duplicates(self, preference: npt.NDArray[np.int64], fixed: int) -> tuple[list[NearDuplicate], int]:
        """Find near-duplicates. Only documents that share a band key with another are compared; they are numbered by `candidates`."""
        shared = self._shared_keys()
        candidates, positions = np.unique(shared.positions, return_inverse=True)
        shared = Buckets(positions.astype(np.int32), shared.numbers, shared.sizes)
        number_of = np.full(self._chosen, -1, np.int64)
        number_of[candidates] = np.arange(len(candidates))
        preferred = number_of[preference]
        fixed = int(np.count_nonzero(preferred[:fixed] >= 0))
        preferred = preferred[preferred >= 0]
        with ShingleFile(self._runs.folder) as file:
            if len(candidates):
                for value in self._runs.run(Shingles(), self._with(candidates.astype(np.int64))):
                    file.add(shingles_of(value))
            pairs, uncertain = choose(shared, file.lengths, preferred, file.shingles, self._wanted, fixed)
        return [NearDuplicate(int(candidates[p.position]), int(candidates[p.kept]), p.similarity) for p in pairs], uncertain

    def _shared_keys(self) -> Buckets:
        """Return the band keys that several of the chosen documents share."""
        job = GroupByKeys.of(self._wanted, self._chosen)
        starts = np.cumsum([0, *(sum(flags) for _, flags in self._shards)])
        positions, sizes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        shards = [ChosenShard.of(shard, flags) for shard, flags in self._shards]
        for shard, documents, of_bucket in map(group_of, self._runs.run_grouped(job, shards, job.keys)):
            positions.append(starts[shard] + documents)
            sizes.append(of_bucket)
        all_sizes = np.concatenate(sizes)
        numbers = np.repeat(np.arange(len(all_sizes), dtype=np.int32), all_sizes)
        return Buckets(np.concatenate(positions).astype(np.int32), numbers, all_sizes)

    def _with(self, candidates: npt.NDArray[np.int64]) -> list[ChosenShard]:
        """Return the shards with the candidates only."""
        wanted = np.zeros(self._chosen, np.uint8)
        wanted[candidates] = 1
        parts, start = [], 0
        for shard, flags in self._shards:
            chosen = np.frombuffer(flags, np.uint8).copy()
            count = int(chosen.sum())
            chosen[chosen == 1] = wanted[start : start + count]
            parts.append(ChosenShard.of(shard, chosen))
            start += count
        return parts
