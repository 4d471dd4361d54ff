"""Covers: run."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents, write_documents
from robo_poet.distributed import run as run_module
from robo_poet.distributed.beam import GroupedWork, Work
from robo_poet.distributed.run import Distributed, distributed
from robo_poet.distributed.shards import FileShard, HeldShard, Shard
from robo_poet.errors import BadInput
from robo_poet.settings.beam import BeamSettings
from tests.robo_poet.distributed.test_shards import Lengths


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus"
    write_documents(path, (Document(str(n), "g", "", "train").with_text(f"{n} and more\n") for n in range(1000)))
    return path


def backwards(work: Work, shards: Sequence[Shard]) -> None:
    """A runner that takes the last shard first, and some twice."""
    for number in reversed(range(len(shards))):
        work((number, shards[number]))
        if number % 2:
            work((number, shards[number]))


def grouped_backwards(work: GroupedWork, shards: Sequence[Shard]) -> None:
    """A runner that takes the last shard and the last key first, and repeats some."""
    values: dict[int, list[tuple[int, bytes]]] = {}
    for number in reversed(range(len(shards))):
        for key, value in work.pairs((number, shards[number])):
            values.setdefault(key, []).append(value)
    for key in (*sorted(values, reverse=True), *list(values)[:1]):
        work.gather((key, iter(values[key])))


class ByLength:
    """Groups the documents by the length of their text, modulo 3."""

    def pairs(self, documents: Iterable[Document]) -> Iterator[tuple[int, bytes]]:
        names: dict[int, list[str]] = {0: [], 1: [], 2: []}
        for document in documents:
            names[len(document.text) % 3].append(document.id)
        for key, group in names.items():
            yield key, ",".join(group).encode()

    def group(self, key: int, values: Sequence[bytes]) -> Iterator[object]:
        yield [key, [value.decode().split(",") if value else [] for value in values]]


def reported(done: int, total: int) -> None:
    pass


def test_the_values_are_in_the_order_of_the_corpus_whatever_the_runner(corpus: Path, tmp_path: Path) -> None:
    with distributed(BeamSettings(), tmp_path, reported) as plain:
        [whole] = plain.shards(corpus)
        expected = list(plain.run(Lengths(), [whole]))
    assert expected == list(Lengths()(read_documents(corpus)))
    for settings in (
        BeamSettings(runner="embedded"),
        BeamSettings(runner="embedded", workers=9),
        BeamSettings(runner="dask", shard_megabytes=1e-6),
    ):
        runs = Distributed(settings, tmp_path, reported, backwards)
        shards = runs.shards(corpus)
        assert len(shards) == 4 and list(runs.run(Lengths(), shards)) == expected
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_groups_have_the_values_in_the_order_of_the_shards_whatever_the_runner(corpus: Path, tmp_path: Path) -> None:
    settings = BeamSettings(runner="embedded", shard_megabytes=1e-6)
    runs = Distributed(settings, tmp_path, reported, grouped_backwards)
    shards = runs.shards(corpus)
    expected = list(Distributed(settings, tmp_path, reported).run_grouped(ByLength(), shards, 3))
    assert list(runs.run_grouped(ByLength(), shards, 3)) == expected
    assert [key for key, _ in expected] == [0, 1, 2] and all(len(groups) == 4 for _, groups in expected)
    assert sum(len(names) for _, groups in expected for names in groups) == 1000
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_group_without_the_values_of_a_shard_is_refused(corpus: Path, tmp_path: Path) -> None:
    def without_last(work: GroupedWork, shards: Sequence[Shard]) -> None:
        grouped_backwards(work, shards[:-1])

    runs = Distributed(BeamSettings(runner="FlinkRunner", shard_megabytes=1e-6), tmp_path, reported, without_last)
    with pytest.raises(BadInput, match="3 of 3 parts of the corpus have no result: the workers do not see the folder"):
        list(runs.run_grouped(ByLength(), runs.shards(corpus), 3))


def test_a_pipeline_of_the_caller_reaches_the_runner(tmp_path: Path) -> None:
    seen = []
    Distributed(BeamSettings(runner="embedded"), tmp_path, reported, lambda *call: seen.append(call)).apply("pipeline", ["a", "b"])  # type: ignore[arg-type]
    assert seen == [("pipeline", ["a", "b"])]
    with pytest.raises(ValueError, match="no runner"):
        Distributed(BeamSettings(), tmp_path, reported).apply("pipeline", [])  # type: ignore[arg-type]


def test_a_corpus_in_the_shared_folder_is_not_copied(corpus: Path, tmp_path: Path) -> None:
    runs = Distributed(BeamSettings(runner="embedded", folder=str(tmp_path)), tmp_path.resolve(), reported, backwards)
    assert {shard.path for shard in runs.shards(corpus)} == {str(corpus)}
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_the_shared_folder_gets_a_copy_of_the_corpus(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    runs = Distributed(BeamSettings(runner="embedded", folder=str(tmp_path / "shared")), tmp_path / "shared", reported, backwards)
    assert {shard.path for shard in runs.shards(corpus)} == {str(tmp_path / "shared" / "corpus")} == {s.path for s in runs.shards(corpus)}
    assert len(list(runs.run(Lengths(), runs.shards(corpus)))) == 1000


def test_bad_input_of_a_worker_is_that_of_the_step(corpus: Path, tmp_path: Path) -> None:
    runs = Distributed(BeamSettings(runner="embedded"), tmp_path, reported, backwards)
    with pytest.raises(BadInput, match="^document 700: too odd; leave it out$"):
        list(runs.run(Lengths("700"), runs.shards(corpus)))


def test_workers_that_do_not_see_the_folder(corpus: Path, tmp_path: Path) -> None:
    def elsewhere(work: Work, shards: Sequence[Shard]) -> None:
        for number, shard in enumerate(shards):
            Work(work.job, "/nowhere" if number else work.folder)((number, shard))

    runs = Distributed(BeamSettings(runner="FlinkRunner"), tmp_path, reported, elsewhere)
    with pytest.raises(
        BadInput, match="^beam.folder = : 3 of 4 parts of the corpus have no result: the workers do not see the folder; set it"
    ):
        list(runs.run(Lengths(), runs.shards(corpus)))
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_the_progress_is_read_from_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "POLL_SECONDS", 0.001)
    seen, half = list[tuple[int, int]](), threading.Event()

    def report(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 1:
            half.set()

    def slow(work: Work, shards: Sequence[Shard]) -> None:
        work((0, shards[0]))
        assert half.wait(10)
        work((1, shards[1]))

    runs = Distributed(BeamSettings(runner="embedded"), tmp_path, report, slow)
    assert len(list(runs.run(Lengths(), [HeldShard((Document("a", "g", "b"),))] * 2))) == 2
    assert (1, 2) in seen


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    settings = BeamSettings(runner="embedded", folder=str(tmp_path / "no"))
    with pytest.raises(BadInput, match="no: no such folder; mount it"), distributed(settings, tmp_path, reported):
        pass


def test_shards_are_found_from_another_folder(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shards = Distributed(BeamSettings(runner="embedded"), tmp_path, reported, backwards).shards(Path("corpus"))
    assert {Path(shard.path) for shard in shards if isinstance(shard, FileShard)} == {corpus}
