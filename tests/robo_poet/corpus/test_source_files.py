import os
import socket
from pathlib import Path

import pytest

from robo_poet.corpus.source_files import DEEPEST, SourceFiles, is_bucket, source_files
from robo_poet.errors import BadInput


def test_a_folder_gives_its_text_files_and_a_file_gives_itself(tmp_path: Path) -> None:
    for name in ("b.txt", "inner/a.md", "table.csv", "inner/portrait.png", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    files = source_files(tmp_path)
    assert files == SourceFiles(tmp_path, ("b.txt", "inner/a.md"), others=("inner/portrait.png", "table.csv"))
    assert files.warnings == ("not read, because a folder is read for its .txt and .md files: inner/portrait.png, table.csv",)
    assert source_files(tmp_path / "table.csv") == SourceFiles(tmp_path / "table.csv")


@pytest.mark.parametrize(
    ("names", "source", "message"),
    [
        ([], ".", "the folder is empty"),
        ([], "missing", "no such file or folder"),
        (["a.csv", "b.png"], ".", "to read a table, give its path: .*a.csv"),
        (["b.png"], ".", "no .txt or .md file .*b.png"),
        (["b.png"], "b.png", "give a folder, or one of .txt, .md"),
        ([os.fsdecode(b"\xff.txt")], ".", "name is not UTF-8"),
    ],
)
def test_a_source_without_documents_is_refused(tmp_path: Path, names: list[str], source: str, message: str) -> None:
    for name in names:
        (tmp_path / name).write_text("text")
    with pytest.raises(BadInput, match=message):
        source_files(tmp_path / source)


@pytest.mark.parametrize(("source", "expected"), [("gs://bucket/prefix", True), ("/data/gs", False), ("", False)])
def test_a_bucket_is_known_by_its_scheme(source: str, expected: bool) -> None:
    assert is_bucket(source) is expected


@pytest.mark.parametrize("source", ["s3://bucket/poems", "hdfs://host/x", "file:///data/poems", "GS://bucket", "s3:/bucket"])
def test_other_addresses_are_refused_with_their_scheme(source: str) -> None:
    with pytest.raises(BadInput, match=f"{source.partition(':')[0]}:// is not supported; give a path on this machine, or gs://"):
        is_bucket(source)


@pytest.fixture
def special(tmp_path: Path) -> Path:
    """Return a folder with three texts, and with everything that can stand in a folder and is not a regular file."""
    folder = tmp_path / "poems"
    (folder / "inner").mkdir(parents=True)
    for name in ("a.txt", "inner/b.txt", "c.md"):
        (folder / name).write_text(name)
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "secret.txt").write_text("secret")
    os.mkfifo(folder / "pipe.txt")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket.txt"))
    (folder / "absolute.txt").symlink_to(tmp_path / "private" / "secret.txt")
    (folder / "relative.md").symlink_to("../private/secret.txt")
    (folder / "inside.txt").symlink_to("a.txt")
    (folder / "nowhere.txt").symlink_to("nothing")
    (folder / "itself.txt").symlink_to("itself.txt")
    (folder / "device.txt").symlink_to("/dev/zero")
    (folder / "folder").symlink_to(tmp_path / "private")
    (folder / "loop").symlink_to(".")
    (folder / ".hidden").symlink_to(tmp_path / "private")
    (folder / "picture").symlink_to("/etc/hostname")
    return folder


def test_only_regular_files_are_read_and_the_rest_is_named(special: Path) -> None:
    files = source_files(special)
    assert files.names == ("a.txt", "c.md", "inner/b.txt")
    assert dict(files.skipped) == {
        **dict.fromkeys(
            ("absolute.txt", "relative.md", "inside.txt", "nowhere.txt", "itself.txt", "device.txt", "folder", "loop"), "a link"
        ),
        "pipe.txt": "a named pipe", "socket.txt": "a socket",
    }  # fmt: skip
    assert files.warnings == (
        "not read, because only regular files below the folder are: absolute.txt (a link), device.txt (a link), folder (a link), "
        "inside.txt (a link), itself.txt (a link) and 5 more",
    )


def test_a_folder_of_links_says_what_to_do(special: Path) -> None:
    for name in ("a.txt", "c.md", "inner/b.txt"):
        (special / name).unlink()
    with pytest.raises(BadInput, match=r"no .txt or .md file in this folder; absolute.txt is a link; copy the texts into the folder"):
        source_files(special)


@pytest.mark.parametrize("name", ["pipe.txt", "socket.txt"])
def test_a_source_that_is_no_file_is_refused(special: Path, name: str) -> None:
    with pytest.raises(BadInput, match="not a file or a folder"):
        source_files(special / name)


@pytest.mark.parametrize("replacement", ["link", "linked folder", "pipe", "folder", "socket"])
def test_a_file_that_is_replaced_after_the_listing_is_not_read(special: Path, replacement: str) -> None:
    files = source_files(special)
    (special / "inner" / "b.txt").unlink()
    if replacement == "link":
        (special / "inner" / "b.txt").symlink_to("../../private/secret.txt")
    elif replacement == "linked folder":
        (special.parent / "private" / "b.txt").write_text("secret")
        (special / "inner").rmdir()
        (special / "inner").symlink_to(special.parent / "private")
    elif replacement == "pipe":
        os.mkfifo(special / "inner" / "b.txt")
    elif replacement == "folder":
        (special / "inner" / "b.txt").mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(special / "inner" / "b.txt"))
    with pytest.raises(BadInput, match="inner.*: (a link, or below one|a named pipe|a folder|a socket)"):
        files.open("inner/b.txt")


def test_a_deep_tree_ends(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(DEEPEST + 3):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "deep.txt").write_text("deep")
    (tmp_path / "a.txt").write_text("a")
    files = source_files(tmp_path)
    assert files.names == ("a.txt",)
    assert [kind for _, kind in files.skipped] == ["below 64 folders"]


def test_a_text_that_does_not_fit_into_memory_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(BadInput, match=r"a.txt: the file has 10,000 MB; a text file may have 500 MB; divide it into several files"):
        source_files(tmp_path).open("a.txt")
