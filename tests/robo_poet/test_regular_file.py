import os
import stat
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.regular_file import kind_of, open_below, open_regular, read_limited


def test_a_file_that_the_user_names_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "link").symlink_to("a.txt")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"text"
    with pytest.raises(BadInput, match="link: a link, or below one; copy the file into the folder"):
        open_below(tmp_path, "link")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev", "/proc/self/fd"])
def test_a_device_or_a_folder_is_no_file(path: str) -> None:
    with pytest.raises(BadInput, match="a (device|folder), not a file"):
        open_regular(Path(path))


def test_a_pipe_without_a_writer_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(BadInput, match="a named pipe, not a file"):
            open_regular(tmp_path / "pipe")
        with pytest.raises(BadInput, match="a named pipe, not a file"):
            open_below(tmp_path, "pipe")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_missing_file_is_named_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with pytest.raises(FileNotFoundError) as error:
        open_below(tmp_path, "inner/a.txt")
    assert error.value.filename == str(tmp_path / "inner" / "a.txt")


def test_a_small_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert read_limited(tmp_path / "a", 10) == b"x" * 10
    with pytest.raises(BadInput, match="larger than 9e-06 MB"):
        read_limited(tmp_path / "a", 9)


def test_kinds_are_words() -> None:
    assert [kind_of(mode) for mode in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFLNK)] == ["", "a named pipe", "a link"]
