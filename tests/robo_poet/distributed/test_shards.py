import json
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents, row_group_sizes, write_documents
from robo_poet.distributed.shards import ERROR, VALUES, FileShard, HeldShard, file_shards, finished, has_result, read_values, run_shard
from robo_poet.errors import BadInput


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus"
    write_documents(path, (Document(str(n), "g", "", "train").with_text(f"line {n} “\u2028” 𝔸\n" * (n % 7)) for n in range(1000)))
    return path


@dataclass(frozen=True)
class Lengths:
    refused: str = ""

    def __call__(self, documents: Iterable[Document]) -> Iterator[object]:
        for document in documents:
            if document.id == self.refused:
                raise BadInput("too odd", where=f"document {document.id}", remedy="leave it out")
            yield [document.id, document.text, len(document.text) / 3]


@pytest.mark.parametrize(("groups", "shards"), [(0, 4), (1.5, 4), (2.5, 2), (3.5, 2), (99, 1)])
def test_the_shards_of_a_file_are_the_file(corpus: Path, groups: float, shards: int) -> None:
    sizes = row_group_sizes(corpus)
    assert len(sizes) == 4
    megabytes = max(sizes[:3]) * groups / 1e6
    parts = file_shards(corpus, megabytes)
    assert len(parts) == shards
    assert [document for part in parts for document in part.documents()] == list(read_documents(corpus))
    assert pickle.loads(pickle.dumps(parts)) == parts  # noqa: S301


def test_a_corpus_without_documents_is_one_shard(tmp_path: Path) -> None:
    write_documents(tmp_path / "empty", [])
    [shard] = file_shards(tmp_path / "empty", 1)
    assert list(shard.documents()) == []


def test_values_come_back_as_they_were(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    for number, shard in enumerate(file_shards(corpus, 1e-6)):
        run_shard(Lengths(), shard, number, str(tmp_path / "r"))
    assert [value for number in range(4) for value in read_values(number, tmp_path / "r")] == list(Lengths()(read_documents(corpus)))
    assert finished(tmp_path / "r") == 4


def test_a_shard_that_is_run_again_has_the_same_bytes(tmp_path: Path) -> None:
    shard = HeldShard((Document("1", "g", "x"),))
    written = set()
    for _ in range(2):
        run_shard(Lengths(), shard, 3, str(tmp_path))
        written.add((tmp_path / f"000003.{VALUES}").read_bytes())
    assert len(written) == 1 and [path.name for path in tmp_path.iterdir()] == [f"000003.{VALUES}"]
    assert not has_result(2, tmp_path) and has_result(3, tmp_path)


def test_bad_input_comes_back_as_bad_input(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    run_shard(Lengths("300"), FileShard(str(corpus), 0, 4), 0, str(tmp_path / "r"))
    assert [path.name for path in (tmp_path / "r").iterdir()] == [f"000000.{ERROR}"] and has_result(0, tmp_path / "r")
    with pytest.raises(BadInput, match="document 300: too odd; leave it out"):
        list(read_values(0, tmp_path / "r"))


def test_a_bug_leaves_no_file(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()

    def broken(documents: Iterable[Document]) -> Iterator[object]:
        yield json
        yield from documents

    with pytest.raises(TypeError):
        run_shard(broken, FileShard(str(corpus), 0, 1), 0, str(tmp_path / "r"))
    assert not list((tmp_path / "r").iterdir())
