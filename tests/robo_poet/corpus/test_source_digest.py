from pathlib import Path

import pytest

from robo_poet.corpus.source_digest import source_digest
from robo_poet.digest import CHUNK
from robo_poet.errors import BadInput


@pytest.fixture
def poems(tmp_path: Path) -> Path:
    folder = tmp_path / "poems"
    (folder / "b").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    (folder / "b" / "c.MD").write_text("two")
    return folder


def test_bundled_needs_none() -> None:
    assert source_digest("") == ""


def test_a_folder_counts_by_names_and_contents(poems: Path, tmp_path: Path) -> None:
    before = source_digest(str(poems))
    poems.rename(tmp_path / "elsewhere")
    assert source_digest(str(tmp_path / "elsewhere")) == before
    (tmp_path / "elsewhere" / "a.txt").write_text("One")
    assert source_digest(str(tmp_path / "elsewhere")) != before


def test_files_that_are_not_read_do_not_change_the_digest(poems: Path) -> None:
    before = source_digest(str(poems))
    (poems / "picture.png").write_bytes(b"\0")
    (poems / ".git").mkdir()
    (poems / ".git" / "description.txt").write_text("hidden")
    assert source_digest(str(poems)) == before


def test_a_file(poems: Path) -> None:
    assert source_digest(str(poems / "a.txt")) == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"


def test_a_missing_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file or folder"):
        source_digest(str(tmp_path / "none"))


def test_a_sparse_file_is_refused_at_its_first_nul(poems: Path) -> None:
    with (poems / "a.txt").open("ab") as file:
        file.truncate(400_000_000)
    with pytest.raises(BadInput, match=r"a.txt: the file is binary \(NUL at byte 3\)"):
        source_digest(str(poems))


def test_a_sparse_table_is_refused_at_its_first_bytes(tmp_path: Path) -> None:
    with (tmp_path / "a.parquet").open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(BadInput, match="a.parquet: not a Parquet file"):
        source_digest(str(tmp_path / "a.parquet"))


def test_a_link_does_not_change_the_digest(poems: Path) -> None:
    before = source_digest(str(poems))
    (poems / "link.txt").symlink_to("/etc/hostname")
    assert source_digest(str(poems)) == before


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b" + b"x" * (CHUNK - 2) + b"\0\0", "a".encode("utf-16") + b"b\0" * (CHUNK // 2 - 2) + b"\n\0"]
)
def test_nuls_at_a_boundary_of_chunks_are_no_hole(tmp_path: Path, content: bytes) -> None:
    """The size in the last bytes of a .gz file mostly ends in NULs; they may be alone in the last chunk."""
    path = tmp_path / ("a.txt.gz" if content.startswith(b"\x1f") else "a.txt")
    path.write_bytes(content)
    assert len(source_digest(str(path))) == 64
