"""Permissions of keys and folders, the umask, and volumes that a group shares."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.permissions import VARIABLE, check_private, check_unchangeable, limit_umask, make_private_folder, warnings


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def made(path: Path, mode: int) -> Path:
    path.write_text("")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("before", "after"), [(0o000, 0o022), (0o002, 0o022), (0o022, 0o022), (0o077, 0o077), (0o007, 0o027)])
def test_the_umask_lets_no_other_user_write(before: int, after: int) -> None:
    os.umask(before)
    limit_umask()
    assert os.umask(0) == after


def test_a_group_may_write_where_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    limit_umask()
    assert os.umask(0) == 0o002


def test_a_private_folder_and_its_parents_are_for_their_owner(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "b" / "c")
    assert {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "a").rglob("*")} | {oct((tmp_path / "a").stat().st_mode & 0o777)} == {
        "0o700"
    }
    make_private_folder(tmp_path / "a" / "b")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o500])
def test_a_file_of_its_owner_is_private(tmp_path: Path, mode: int) -> None:
    check_private(made(tmp_path / "key", mode), "key file")


@pytest.mark.parametrize(
    ("mode", "can"), [(0o640, "read"), (0o604, "read"), (0o620, "write to"), (0o602, "write to"), (0o666, "write to"), (0o777, "write to")]
)
def test_a_file_of_others_is_not_private(tmp_path: Path, mode: int, can: str) -> None:
    path = made(tmp_path / "my key", mode)
    with pytest.raises(BadInput) as error:
        check_private(path, "key file", then="create it again")
    assert f"other users can {can} the key file; run chmod 600 '{path}', and create it again" in str(error.value) and "\n" not in str(
        error.value
    )
    command = str(error.value).split("; run ")[1].split(", and ")[0]
    assert os.system(command) == 0
    check_private(path, "key file")


def test_a_folder_may_be_read_but_not_changed(tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    folder.mkdir(0o755)
    check_unchangeable(folder, "registry")
    assert warnings([("registry", folder), ("store", tmp_path / "none")]) == []
    folder.chmod(0o775)
    [line] = warnings([("registry", folder)])
    assert line == f"{folder}: other users can write to the registry; run chmod 755 {folder} (for a volume with fsGroup, set {VARIABLE}=1)"
    folder.chmod(0o2777)
    assert warnings([("registry", folder)])[0].endswith(f"run chmod 2755 {folder}")
    folder.chmod(0o750)
    assert warnings([("folder of logs", folder)]) == []
    assert warnings([("folder of logs", folder)], private=True)[0].startswith(
        f"{folder}: other users can read the folder of logs; run chmod 700 "
    )


def test_a_link_is_judged_by_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(made(tmp_path / "key", 0o644))
    with pytest.raises(BadInput, match="other users can read"):
        check_private(tmp_path / "link", "key file")
    with pytest.raises(BadInput, match="cannot be examined"):
        check_private(tmp_path / "none", "key file")


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "key", 0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    status = path.stat()
    monkeypatch.setattr(Path, "stat", lambda *_, **__: os.stat_result((status.st_mode, 0, 0, 1, 4712, 0, 0, 0, 0, 0)))
    with pytest.raises(BadInput, match=r"the key file belongs to another user \(uid 4712\); run chown 4711 "):
        check_private(path, "key file")
    monkeypatch.setenv(VARIABLE, "1")
    check_private(path, "key file")


@pytest.mark.parametrize(("mode", "good"), [(0o660, True), (0o440, True), (0o2770, True), (0o644, False), (0o662, False)])
def test_a_shared_volume_is_open_to_its_group_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, good: bool) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    path = made(tmp_path / "key", mode)
    if good:
        return check_private(path, "key file")
    with pytest.raises(BadInput, match="other users can"):
        check_private(path, "key file")
    return None
