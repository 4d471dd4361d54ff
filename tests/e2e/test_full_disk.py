"""Store, runs and registry on one disk that is full: the whole command line ends in one line, and goes on once there is room."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Shell

RUN = (
    "run",
    "--profile",
    "ci",
    "--set",
    "train.max_steps=20",
    "--set",
    "gates=[{metric: '*', drop: test}, {metric: perplexity, max: 1000}]",
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1.5 MB; `grow` it by remounting."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(place)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.soak
def test_a_full_disk_is_one_line_and_the_same_command_goes_on_later(small_disk: Path) -> None:
    person = Shell(small_disk)
    printed = person.type(*RUN, status=1)
    assert "no space left on device" in printed
    assert not (small_disk / "registry").exists()
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    printed = person.type(*RUN)
    assert "ci-shakespeare/1 is champion" in printed
    assert person.states()["ingest"] == "cached"


def test_no_room_for_the_run_itself_is_one_line(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 1_490_000)
    person = Shell(small_disk)
    process = person.start(*RUN)
    out, err = process.communicate(timeout=120)
    assert process.returncode != 0 and "Traceback" not in out + err
    assert "no space left on device" in out + err
