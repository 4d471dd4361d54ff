"""An archive is read as a folder, or as its only file. Nothing is unpacked. Covers: zip_archive."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from robo_poet.corpus import compression, zip_archive
from robo_poet.corpus.source import Source, open_source
from robo_poet.corpus.source_digest import source_digest
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def opened(path: Path) -> Source:
    return open_source(str(path), source_digest(str(path)), IngestSettings())


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        list(opened(path).documents())
    return str(caught.value).removeprefix(f"{path}")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_of_texts_is_a_folder(tmp_path: Path, method: int) -> None:
    members = {
        "poems/": b"",
        "poems/b.txt": "é".encode("utf-16"),
        "a.md": b"A",
        "x.png": b"\0",
        ".git/c.txt": b"",
        "__MACOSX/._a.md": b"\0",
    }
    source = opened(archive(tmp_path / "p.zip", members, method))
    for _ in range(2):
        assert [(document.id, document.group, document.title, document.text) for document in source.documents()] == [
            ("a.md", "a.md", "a", "A"), ("poems/b.txt", "poems/b.txt", "b", "é"),
        ]  # fmt: skip
    assert source.warnings == ("not read, because a folder is read for its .txt and .md files: x.png",)
    source.verify()


def test_an_archive_of_one_file_is_that_file(tmp_path: Path) -> None:
    table = opened(archive(tmp_path / "t.zip", {"poems.csv": b"text;author\nx;Ann\n"}))
    assert [(document.id, document.text, document.author) for document in table.documents()] == [("t.zip#1", "x", "Ann")]
    text = opened(archive(tmp_path / "w.zip", {"works.txt": b"one\n---\ntwo"}))
    assert [(document.id, document.text) for document in text.documents()] == [("w.zip#1", "one"), ("w.zip#2", "two")]


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for members, message in (
        ({}, ": the archive is empty; add .txt or .md files"),
        ({"a.csv": b"", "b.csv": b""}, ": no .txt or .md file in this archive; put one table into the archive"),
        ({"a.pdf": b""}, ": no .txt or .md file in this archive; it contains a.pdf"),
        ({"a.zip": b""}, ": no .txt or .md file in this archive; to read an archive, give its path"),
        ({"a.txt.gz": b"", "b.txt": b""}, ": a.txt.gz: a compressed file in an archive is not read; unpack the archive"),
        ({"a.parquet": b""}, ": a.parquet: the table in the archive is not read; unpack it"),
        ({"../a.txt": b"", "b.txt": b""}, ": ../a.txt: the name points outside the archive"),
        ({"/a.txt": b"", "b.txt": b""}, ": /a.txt: the name points outside the archive"),
        ({"a.txt": b"one", "b.txt": b"\0two"}, "/b.txt: the file is binary (NUL at byte 0)"),
    ):
        assert refusal(archive(path, members)).startswith(message), members


def test_two_members_with_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a.txt", "one")
        file.writestr("a.txt", "two")
    assert ": two members have the same name" in refusal(tmp_path / "a.zip")


def test_a_link_in_an_archive_is_not_read(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(link, "/etc/hostname")
        file.writestr("a.txt", "one")
        file.writestr("b.txt", "two")
    source = opened(tmp_path / "a.zip")
    assert [document.id for document in source.documents()] == ["a.txt", "b.txt"]
    assert source.warnings == ("not read, because only regular files below the folder are: link.txt (a link)",)


def test_damage_is_one_line(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.txt": b"word " * 100, "b.txt": b"b"}, zipfile.ZIP_STORED)
    whole = path.read_bytes()
    for damaged in (
        whole.replace(b"word word", b"wort word", 1),
        whole[:-10],
        whole[: len(whole) // 2],
        whole[:4],
        b"PK\3\4" + bytes(1000),
    ):
        path.write_bytes(damaged)
        assert "damaged" in refusal(path), damaged[:50]
    path.write_bytes(b"plain")
    assert refusal(path) == ": not a .zip file; correct its name, or compress it again"


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.txt": b"one", "b.txt": b"two"})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.find(signature) + flags] |= 1
    path.write_bytes(data)
    assert refusal(path) == "/a.txt: the member is encrypted; unpack the archive, and give the folder"


def test_a_bomb_is_refused_whichever_way_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "ALLOWED", 1_000_000)
    message = ": expands to more than 1 MB and 200 times its size"
    assert message in refusal(archive(tmp_path / "one.zip", {"a.csv": b"text\n" + b"sea " * 1_000_000}))
    assert message in refusal(archive(tmp_path / "many.zip", {f"{n}.txt": b"sea " * 100_000 for n in range(20)}))
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as file:
        file.writestr("a.txt", "x")
    assert "no .txt or .md file" in refusal(archive(tmp_path / "nested.zip", {"inner.zip": nested.getvalue()}))


def test_a_long_list_of_members_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_archive, "LARGEST_DIRECTORY", 1000)
    path = archive(tmp_path / "a.zip", {f"{n}.txt": b"" for n in range(30)})
    assert refusal(path) == ": the archive has too many members, or is larger than 4 GB; unpack it, and give the folder"
