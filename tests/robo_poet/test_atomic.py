import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from robo_poet import atomic
from robo_poet.atomic import create_once, make_folder, new_file, new_folder, sync_tree, write_text


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def replace_folder(path: Path, content: str) -> None:
    with new_folder(path) as folder:
        (folder / "content").write_text(content)


def test_a_file_is_replaced_only_on_success(tmp_path: Path) -> None:
    write_text(tmp_path / "inner" / "file", "old", durable=True)
    with pytest.raises(RuntimeError), new_file(tmp_path / "inner" / "file") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "inner" / "file").read_text() == "old"
    assert names_in(tmp_path / "inner") == ["file"]


def test_a_file_is_readable_for_all(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "ü")
    assert (tmp_path / "file").read_bytes() == "ü".encode()
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_is_replaced_without_remains(tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exchange:
        monkeypatch.setattr(atomic, "_exchange", lambda first, second: False)
    for content in ("old", "new"):
        replace_folder(tmp_path / "folder", content)
        assert (tmp_path / "folder" / "content").read_text() == content
    assert names_in(tmp_path) == ["folder"]


def test_an_exception_keeps_the_old_folder(tmp_path: Path) -> None:
    replace_folder(tmp_path / "folder", "old")
    with pytest.raises(RuntimeError), new_folder(tmp_path / "folder"):
        raise RuntimeError
    assert (tmp_path / "folder" / "content").read_text() == "old"
    assert names_in(tmp_path) == ["folder"]


def test_a_failed_second_rename_restores_the_old_folder(tmp_path: Path) -> None:
    replace_folder(tmp_path / "folder", "old")
    with pytest.raises(FileNotFoundError):
        atomic._replace_in_two_renames(tmp_path / "missing", tmp_path / "folder")
    assert (tmp_path / "folder" / "content").read_text() == "old"


def test_a_folder_does_not_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(NotADirectoryError):
        replace_folder(tmp_path / "folder", "new")
    assert (tmp_path / "folder").read_text() == "a file"


def test_a_reader_always_finds_the_folder(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    replace_folder(target, "0")
    writer = threading.Thread(target=lambda: [replace_folder(target, str(n)) for n in range(1, 200)])
    writer.start()
    while writer.is_alive():
        assert target.is_dir()
    writer.join()
    assert (target / "content").read_text() == "199"


KILLED = """
import os, signal, sys
from pathlib import Path
from robo_poet import atomic
atomic.shutil.rmtree = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
with atomic.new_folder(Path(sys.argv[1])) as folder:
    (folder / "content").write_text("new")
"""


def test_a_process_killed_before_the_old_folder_is_removed_leaves_a_folder(tmp_path: Path) -> None:
    replace_folder(tmp_path / "folder", "old")
    ended = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "folder"])
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "folder" / "content").read_text() == "new"


def test_a_made_folder_can_be_synced(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    write_text(tmp_path / "a" / "b" / "file", "text")
    sync_tree(tmp_path / "a")
    assert (tmp_path / "a" / "b" / "file").read_text() == "text"


def test_a_file_is_created_once_by_one_of_many(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "key"
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: create_once(path, str(number).encode() * 9, mode=0o400), range(40)))
    assert results.count(True) == 1 and path.read_bytes() == str(results.index(True)).encode() * 9
    assert path.stat().st_mode & 0o777 == 0o400 and list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_linked_leaves_nothing(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(OSError):
        create_once(tmp_path / "missing" / "key", b"a", mode=0o600, temporary_folder=other)
    assert list(other.iterdir()) == []
