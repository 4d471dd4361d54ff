"""Running a job on shards: in this process, or as a Beam pipeline. The values and their order are the same (contract 12)."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

from robo_poet.corpus.document import MEGABYTE
from robo_poet.distributed.beam import GroupedWork, Pipeline, RunPipeline, Work, opened_runner
from robo_poet.distributed.shards import FileShard, GroupedJob, Job, Shard, file_shards, finished, has_result, read_values
from robo_poet.errors import BadInput
from robo_poet.settings.beam import PLAIN, BeamSettings

Progress = Callable[[int, int], None]  # (shards done, all shards)
POLL_SECONDS = 1.0
SHARDS_PER_WORKER = 4  # at least, if the corpus has so many row groups: so no worker waits long for the last one


@dataclass
class Distributed:
    """Runs jobs on shards by the settings.

    Args:
        folder: folder of the results; every worker reaches it.
        progress: called while a Beam pipeline runs.
        run_pipeline: runs a function on each of the numbered shards; None to run jobs in this process.
    """

    settings: BeamSettings
    folder: Path
    progress: Progress
    run_pipeline: RunPipeline | None = None

    @property
    def plain(self) -> bool:
        """Return True if jobs run in this process."""
        return self.run_pipeline is None

    def shards(self, corpus: Path) -> Sequence[FileShard]:
        """Return the shards of a corpus. Without Beam, it is one. If the workers need a copy of the corpus, it is made here.

        Raises:
            BadInput: it is not a corpus.
        """
        if self.plain:
            return file_shards(corpus, float("inf"))
        fair = corpus.stat().st_size / MEGABYTE / (SHARDS_PER_WORKER * self.settings.workers)
        shards = file_shards(corpus.absolute(), min(self.settings.shard_megabytes, fair))
        if not self.settings.folder or corpus.absolute().is_relative_to(self.folder):
            return shards
        copy = self.folder / "corpus"
        if not copy.exists():
            shutil.copyfile(corpus, copy)
        return [replace(shard, path=str(copy)) for shard in shards]

    def run(self, job: Job, shards: Sequence[Shard]) -> Iterator[Any]:
        """Yield the values of a job on the shards, in the order of the shards.

        Raises:
            BadInput: the job refuses a document, or Beam or the runner is missing, or an option is wrong, or a
                worker does not see the folder.
        """
        if self.run_pipeline is None:
            for shard in shards:
                yield from job(shard.documents())
            return
        with tempfile.TemporaryDirectory(prefix="shards-", dir=self.folder) as results:
            with self._watched(Path(results), len(shards)):
                self.run_pipeline(Work(job, results), shards)
            yield from self._results(Path(results), len(shards))

    def run_grouped(self, job: GroupedJob, shards: Sequence[Shard], keys: int) -> Iterator[Any]:
        """Yield the values of a grouped job, in the order of the keys.

        Args:
            keys: number of keys; the job yields a value for each of 0 … `keys` - 1.

        Raises:
            BadInput: see `run`.
        """
        if self.run_pipeline is None:
            values: list[list[bytes]] = [[] for _ in range(keys)]
            for shard in shards:
                for key, value in job.pairs(shard.documents()):
                    values[key].append(value)
            for key in range(keys):
                yield from job.group(key, values[key])
            return
        with tempfile.TemporaryDirectory(prefix="keys-", dir=self.folder) as results:
            with self._watched(Path(results), keys):
                self.run_pipeline(GroupedWork(job, results, len(shards)), shards)
            yield from self._results(Path(results), keys)

    def apply(self, pipeline: Pipeline, shards: Sequence[Any]) -> None:
        """Run a pipeline of the caller on shards, which can be pickled. It writes its results itself.

        Raises:
            BadInput: see `run`.
            ValueError: the settings name no runner.
        """
        if self.run_pipeline is None:
            raise ValueError("no runner")
        self.run_pipeline(pipeline, shards)

    def _results(self, folder: Path, count: int) -> Iterator[Any]:
        if missing := sum(not has_result(number, folder) for number in range(count)):
            raise BadInput(
                f"{missing} of {count} parts of the corpus have no result: the workers do not see the folder",
                where=f"beam.folder = {self.settings.folder}",
                remedy="set it to a folder that all workers reach under the same path",
            )
        for number in range(count):
            yield from read_values(number, folder)

    @contextmanager
    def _watched(self, folder: Path, total: int) -> Iterator[None]:
        """Report the progress of a pipeline from the files that its workers write."""
        done = Event()

        def watch() -> None:
            while not done.wait(POLL_SECONDS):
                self.progress(finished(folder), total)

        watcher = Thread(target=watch, name="progress", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


@contextmanager
def distributed(settings: BeamSettings, folder: Path, progress: Progress) -> Iterator[Distributed]:
    """Yield what runs jobs by the settings.

    Args:
        folder: folder of the results if the settings name none.

    Raises:
        BadInput: the folder of the settings does not exist, Beam or the runner is missing, or an option is wrong.
    """
    if settings.runner == PLAIN:
        yield Distributed(settings, folder, progress)
        return
    where = Path(settings.folder or folder)
    if not where.is_dir():
        raise BadInput("no such folder", where=f"beam.folder = {settings.folder}", remedy="mount it into the step, or leave it empty")
    with opened_runner(settings) as run, tempfile.TemporaryDirectory(prefix=".beam-", dir=where) as work:
        yield Distributed(settings, Path(work).resolve(), progress, run)
