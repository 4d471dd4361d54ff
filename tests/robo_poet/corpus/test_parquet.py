import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import GROUP_DOCUMENTS, SPLITS, count_documents, read_documents, write_documents
from robo_poet.digest import digest_file
from robo_poet.errors import BadInput

text = st.text(st.characters(codec="utf-8"), max_size=200)
document = st.builds(Document, id=text, group=text, text=text, split=st.sampled_from(SPLITS), title=text, date=text)


def make_documents(count: int) -> list[Document]:
    return [Document(id=str(n), group=str(n % 7), text="", split=SPLITS[n % 3]).with_text(f"text {n} ü") for n in range(count)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(document, max_size=20))
def test_documents_are_read_as_they_werewrite_some(tmp_path: Path, documents: list[Document]) -> None:
    assert write_documents(tmp_path / "c", documents) == len(documents)
    assert list(read_documents(tmp_path / "c")) == documents
    assert count_documents(tmp_path / "c") == len(documents)


def test_row_groups_are_small_and_the_bytes_do_not_change(tmp_path: Path) -> None:
    write_documents(tmp_path / "a", iter(make_documents(600)))
    write_documents(tmp_path / "b", make_documents(600))
    assert digest_file(tmp_path / "a") == digest_file(tmp_path / "b")
    metadata = pq.ParquetFile(tmp_path / "a").metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [
        GROUP_DOCUMENTS,
        GROUP_DOCUMENTS,
        600 - 2 * GROUP_DOCUMENTS,
    ]


def test_one_split_is_read(tmp_path: Path) -> None:
    write_documents(tmp_path / "c", make_documents(10))
    assert [d.id for d in read_documents(tmp_path / "c", "test")] == ["2", "5", "8"]
    with pytest.raises(ValueError, match="not one of"):
        list(read_documents(tmp_path / "c", "dev"))


def test_an_exception_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> object:
        yield from make_documents(300)
        raise BadInput("no more")

    with pytest.raises(BadInput):
        write_documents(tmp_path / "c", broken())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more", b"x" * 5000])
def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(BadInput, match="not a Parquet file"):
        list(read_documents(tmp_path / "c"))


def test_a_table_without_the_columns_is_refused(tmp_path: Path) -> None:
    pq.write_table(pq.ParquetFile(write_some(tmp_path)).read(["id", "text"]), tmp_path / "other")
    with pytest.raises(BadInput, match="column group is missing"):
        list(read_documents(tmp_path / "other"))


def write_some(folder: Path) -> Path:
    write_documents(folder / "c", make_documents(3))
    return folder / "c"


FULL = """
import sys
from pathlib import Path
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
try:
    write_documents(Path(sys.argv[1]), (Document(id=str(n), group="g", text=__import__("os").urandom(9000).hex()) for n in range(900)))
except OSError as error:
    sys.exit(error.errno)
"""


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    ended = subprocess.run([sys.executable, "-c", FULL, tmp_path / "c"], preexec_fn=small_files, env={**os.environ, "PYTHONPATH": "."})
    assert ended.returncode == errno.EFBIG
    assert list(tmp_path.iterdir()) == []
