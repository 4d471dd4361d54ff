"""Tests of the lock on a server's folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.folder_lock import LOCK_FILE, locked_folder

HOLD = """
import subprocess, sys, time
from pathlib import Path
from robo_poet.folder_lock import locked_folder
with locked_folder(Path(sys.argv[1]), "") as lock:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(5)"])
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_is_free_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with locked_folder(tmp_path / "new" / "folder", "") as lock:
            lock.describe("http://127.0.0.1:1")
            lock.describe("")
    assert (tmp_path / "new" / "folder").stat().st_mode & 0o777 == 0o700


def test_a_link_to_a_locked_folder_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "folder").mkdir()
    with (
        locked_folder(tmp_path / "folder", ""),
        pytest.raises(BadInput, match="another server"),
        locked_folder(tmp_path / "link", "stop it"),
    ):
        pass


def test_a_killed_holder_blocks_nobody_although_its_child_lives(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with (
        pytest.raises(BadInput, match=rf"another server uses this folder \(process {holder.pid}\); stop it"),
        locked_folder(tmp_path, "stop it"),
    ):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait(10)
    holder.stdout.close()
    with locked_folder(tmp_path, ""):
        assert (tmp_path / LOCK_FILE).read_text() == f"process {os.getpid()}\n"


def test_locks_of_two_names_do_not_exclude_each_other(tmp_path: Path) -> None:
    with (
        locked_folder(tmp_path, ""),
        locked_folder(tmp_path, "", name="sync.lock", program="sync"),
        pytest.raises(BadInput, match="another sync uses this folder"),
        locked_folder(tmp_path, "", name="sync.lock", program="sync"),
    ):
        pass


@pytest.mark.parametrize("kind", ["file", "link", "fifo"])
def test_a_folder_or_a_lock_file_that_cannot_be_used_is_one_line(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "serve"
    if kind == "file":
        folder.write_text("not a folder")
    else:
        folder.mkdir()
        if kind == "fifo":
            os.mkfifo(folder / LOCK_FILE)
        else:
            (folder / LOCK_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput) as error, locked_folder(folder, "take another"):
        pass
    assert str(error.value).startswith(f"{folder}: the folder cannot be used (") and not (tmp_path / "elsewhere").exists()
