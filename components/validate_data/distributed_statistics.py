"""TFDV's statistics of a corpus by a Beam runner: `tfdv.GenerateStatistics` on batches of features, which the step writes as Arrow files.

The features are numbers and categories without text, so the files are small: about 100 bytes per document. TFDV's sketches depend on the
order in which a runner merges them. The anomalies of a schema are about counts, smallest and largest values, which do not.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from components.validate_data.schema import record_batch, tfdv
from robo_poet.atomic import new_file
from robo_poet.distributed.beam import RUN
from robo_poet.distributed.run import Distributed
from robo_poet.errors import BadInput
from robo_poet.features.distributions import Columns


@dataclass(frozen=True)
class GenerateStatistics:
    """The Beam pipeline from numbered batch files to one file with the statistics. `folder` is that of the files."""

    folder: str

    @property
    def result(self) -> Path:
        """The file with the statistics."""
        return Path(self.folder) / "statistics.pb"

    def read(self, numbered: tuple[int, Any]) -> Iterator[Any]:
        """Yield the batch of a file; nothing if this worker does not see the folder."""
        if Path(numbered[1]).is_file():
            with pa.OSFile(numbered[1], "rb") as file:
                yield from pa.ipc.open_file(file).read_all().combine_chunks().to_batches()

    def write(self, statistics: Any) -> None:
        """Write the statistics, if this worker sees the folder. A second run of the worker replaces the file."""
        with contextlib.suppress(FileNotFoundError), new_file(self.result) as temporary:
            temporary.write_bytes(statistics.SerializeToString())

    def apply(self, numbered: Any) -> None:
        """See `robo_poet.distributed.beam.Pipeline`."""
        import apache_beam as beam

        batches = numbered | RUN >> beam.FlatMap(self.read).with_output_types(pa.RecordBatch)
        _ = batches | tfdv().GenerateStatistics(tfdv().StatsOptions()) | "write" >> beam.Map(self.write)


class DistributedStatistics:
    """Collects the batches of a corpus, and runs the pipeline. The same functions as `TfdvStatistics`."""

    def __init__(self, runs: Distributed) -> None:
        self._runs = runs
        self._files: list[str] = []
        self._documents = 0

    def add(self, columns: Columns) -> None:
        """Add a batch of documents."""
        batch = record_batch(columns)
        path = self._runs.folder / f"batch-{len(self._files)}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        self._files.append(str(path))
        self._documents += batch.num_rows

    def proto(self) -> Any:
        """Return the statistics as a `DatasetFeatureStatisticsList`.

        Raises:
            BadInput: the runner fails, or a worker does not see the folder.
        """
        from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

        pipeline = GenerateStatistics(str(self._runs.folder))
        self._runs.apply(pipeline, self._files)
        statistics = DatasetFeatureStatisticsList()
        if pipeline.result.exists():
            statistics.ParseFromString(pipeline.result.read_bytes())
        counted = sum(dataset.num_examples for dataset in statistics.datasets)
        if counted != self._documents:
            raise BadInput(
                f"TFDV counted {counted} of {self._documents} documents: the workers do not see the folder",
                where=f"beam.folder = {self._runs.settings.folder}",
                remedy="set it to a folder that all workers reach under the same path",
            )
        return statistics
