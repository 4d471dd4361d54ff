"""Beam's runners: a pipeline that calls a function with each shard.

Beam is imported only if a profile names a runner: the import takes 4 s, and most images do not have it.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from robo_poet.distributed.shards import GroupedJob, Job, run_shard, write_values
from robo_poet.errors import BadInput
from robo_poet.settings.beam import DASK, EMBEDDED, BeamSettings

RUN, GATHER = "run", "gather"  # names of the steps that call our functions; Beam's errors quote them


class Pipeline(Protocol):
    """The part of a Beam pipeline that works on the numbered shards."""

    def apply(self, numbered: Any) -> None:
        """Apply the transforms to the collection of `(number, shard)`, whose elements are spread over the workers."""
        ...


@dataclass(frozen=True)
class Work:
    """What a worker does with a numbered shard."""

    job: Job
    folder: str

    def __call__(self, numbered: tuple[int, Any]) -> None:  # Beam reads these types, and cannot check a protocol
        """Run the job; see `run_shard`. If this worker does not see the folder, nothing is run, and the caller misses the result."""
        if Path(self.folder).is_dir():
            run_shard(self.job, numbered[1], numbered[0], self.folder)

    def apply(self, numbered: Any) -> None:
        """See `Pipeline`."""
        import apache_beam as beam

        _ = numbered | RUN >> beam.Map(self)


@dataclass(frozen=True)
class GroupedWork:
    """What a worker does with a numbered shard, and with the values of all shards for one key.

    Args:
        shards: number of shards. If the values of some are missing, because a worker does not see the folder, no result is written.
    """

    job: GroupedJob
    folder: str
    shards: int

    def pairs(self, numbered: tuple[int, Any]) -> Iterator[tuple[int, tuple[int, bytes]]]:
        """Yield `(key, (number of the shard, value))`."""
        if Path(self.folder).is_dir():
            for key, value in self.job.pairs(numbered[1].documents()):
                yield key, (numbered[0], value)

    def gather(self, grouped: tuple[int, Any]) -> None:
        """Write the values of a key."""
        by_shard = dict(grouped[1])  # a runner gives them in any order
        if Path(self.folder).is_dir() and len(by_shard) == self.shards:
            values = [by_shard[number] for number in range(self.shards)]
            write_values(lambda: self.job.group(grouped[0], values), grouped[0], self.folder)

    def apply(self, numbered: Any) -> None:
        """See `Pipeline`."""
        import apache_beam as beam

        _ = numbered | RUN >> beam.FlatMap(self.pairs) | "group" >> beam.GroupByKey() | GATHER >> beam.Map(self.gather)


RunPipeline = Callable[[Any, Sequence[Any]], None]  # of a `Pipeline` and shards
LONGEST_ERROR = 200  # characters of a runner's error
INSTALL = "install requirements/data-beam.txt (ingest) or scrub-beam.txt (scrub_pii), or set beam.runner to none"


@contextmanager
def opened_runner(settings: BeamSettings) -> Iterator[RunPipeline]:
    """Yield a function that runs work on shards. It can be called several times.

    Raises:
        BadInput: Beam or the runner is missing, or an option is wrong.
    """
    where = f"beam.runner = {settings.runner}"
    try:
        import apache_beam  # noqa: F401
    except ImportError:
        raise BadInput("Apache Beam is not installed", where=where, remedy=INSTALL) from None
    if settings.runner == DASK:
        try:
            import distributed  # noqa: F401
        except ImportError:
            raise BadInput("Dask is not installed", where=where, remedy=INSTALL) from None
        with _dask_address(settings) as flags:
            yield _pipelines(settings, flags)
    else:
        yield _pipelines(settings, [])


def _pipelines(settings: BeamSettings, flags: Sequence[str]) -> RunPipeline:
    import apache_beam as beam

    def run(work: Pipeline, shards: Sequence[Any]) -> None:
        runner, more = _runner(settings, len(shards))
        options = _options([*flags, *more, *settings.options])
        try:
            pipeline = beam.Pipeline(runner=runner, options=options)
            numbered = pipeline | "shards" >> beam.Create(list(enumerate(shards)), reshuffle=False)
            work.apply(numbered | "spread" >> beam.Reshuffle())
            result = pipeline.run()
            try:
                result.wait_until_finish()
            finally:
                if client := getattr(result, "client", None):  # of Dask: left open, it waits 30 s for the scheduler at the end
                    client.close()
        except (Exception, SystemExit) as error:  # SystemExit: from argparse in a runner
            raise failure(error, settings) from error

    _options([*flags, *_runner(settings, 1)[1], *settings.options])  # a mistake is reported before the corpus is read
    return run


def failure(error: BaseException, settings: BeamSettings) -> BaseException:
    """Return the error to raise for an exception of a runner: one line if the runner failed, the exception if our function did."""
    text = str(error)
    ours = any(f"while running '{step}'" in text for step in (RUN, GATHER))
    if isinstance(error, BadInput) or ours or "Traceback" in text:
        return error
    line = " ".join(text.split())
    what = f"the runner failed ({type(error).__name__}{': ' if line else ''}{line[:LONGEST_ERROR]})"
    return BadInput(what, where=f"beam.runner = {settings.runner}", remedy="check beam.options, and that the runner answers")


def _runner(settings: BeamSettings, shards: int) -> tuple[Any, list[str]]:
    """Return a runner and its options. Beam's own default, DirectRunner, tries to download another runner, so the embedded one is named."""
    option_names = {option.split("=")[0] for option in settings.options}
    if settings.runner == EMBEDDED:
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner

        # each worker process warns of a folder that only containers have
        logging.getLogger("apache_beam.runners.portability.local_job_service").setLevel(logging.ERROR)
        mode = "multi_processing" if settings.workers > 1 else "in_memory"
        return FnApiRunner(), [f"--direct_num_workers={settings.workers}", f"--direct_running_mode={mode}"]
    if settings.runner == DASK:
        from apache_beam.runners.dask.dask_runner import DaskRunner

        partitioned = option_names & {"--dask_npartitions", "--dask_partition_size"}
        return DaskRunner(), [] if partitioned else [f"--dask_npartitions={max(1, shards)}"]
    from apache_beam.runners.runner import create_runner

    try:
        return create_runner(settings.runner), []
    except (ValueError, ImportError) as error:
        what = f"Beam cannot make this runner ({' '.join(str(error).split())})"
        raise BadInput(what, where=f"beam.runner = {settings.runner}", remedy="choose another runner of Beam") from None


def _options(flags: Sequence[str]) -> Any:
    from apache_beam.options.pipeline_options import PipelineOptions

    try:
        options = PipelineOptions(list(flags))
        options.get_all_options()
    except SystemExit:  # argparse has printed the reason
        raise BadInput("Beam refuses an option (see above)", where="beam.options", remedy="correct the option") from None
    return options


@contextmanager
def _dask_address(settings: BeamSettings) -> Iterator[list[str]]:
    """Yield the option with the address of the scheduler. If the settings have none, worker processes start on this machine."""
    option_names = {option.split("=")[0] for option in settings.options}
    if option_names & {"--dask_client_address", "--dask_scheduler_file"}:
        yield []
        return
    from distributed import LocalCluster

    logging.getLogger("distributed").setLevel(logging.WARNING)
    with LocalCluster(n_workers=settings.workers, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        yield [f"--dask_client_address={cluster.scheduler_address}"]
