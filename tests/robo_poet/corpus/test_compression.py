"""Compressed files are read, or refused in one line if they are damaged or expand too far. Covers: compression."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from robo_poet.corpus import compression
from robo_poet.corpus.compression import ALLOWED, compression_of, plain_name
from robo_poet.corpus.source import open_source
from robo_poet.corpus.source_digest import source_digest
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings

TEXT = "The sea is wide.\nÀ l'été, 🌊.\n"
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def texts(path: Path) -> list[str]:
    """Read a source twice, as ingest does."""
    source = open_source(str(path), source_digest(str(path)), IngestSettings(few_works="keep"))
    first = [document.text for document in source.documents()]
    assert [document.text for document in source.documents()] == first
    source.verify()
    return first


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_a_compressed_file_is_read_as_its_content(tmp_path: Path, suffix: str) -> None:
    compress = COMPRESSORS[suffix]
    for name, content in {
        "a.txt": TEXT.encode(), "b.TXT": TEXT.encode("utf-16"), "c.csv": b"text;author\nx, y;Ann\n", "d.jsonl": b'{"text": "x, y"}',
    }.items():  # fmt: skip
        (tmp_path / f"{name}{suffix}").write_bytes(compress(content))
    assert texts(tmp_path / f"a.txt{suffix}") == [TEXT.strip("\n")]
    assert texts(tmp_path / f"c.csv{suffix}") == texts(tmp_path / f"d.jsonl{suffix}") == ["x, y"]
    source = open_source(str(tmp_path), "", IngestSettings())
    assert [(document.id, document.title, document.text) for document in source.documents()] == [
        (f"a.txt{suffix}", "a", TEXT), (f"b.TXT{suffix}", "b", TEXT),
    ]  # fmt: skip


def test_members_that_were_joined_are_read_as_one(tmp_path: Path) -> None:
    for suffix, compress in COMPRESSORS.items():
        (tmp_path / f"a.txt{suffix}").write_bytes(compress(b"one ") + compress(b"two"))
        assert texts(tmp_path / f"a.txt{suffix}") == ["one two"]


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_a_file_that_expands_too_far_is_refused(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "ALLOWED", 100_000)
    for name, content in {"a.txt": b"sea " * 75_000, "a.csv": b"text\n" + (b"word " * 10_000 + b"\n") * 6}.items():
        (tmp_path / f"{name}{suffix}").write_bytes(COMPRESSORS[suffix](content))
        with pytest.raises(BadInput, match=rf"{name}{suffix}: expands to more than 0.1 MB and 200 times its size; unpack it"):
            texts(tmp_path / f"{name}{suffix}")


def test_text_never_reaches_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "ALLOWED", 1000)
    content = "".join(f"Line {n} of a long poem about the sea.\n" for n in range(5_000))
    for suffix, compress in COMPRESSORS.items():
        (tmp_path / f"a.txt{suffix}").write_bytes(compress(content.encode()))
        assert texts(tmp_path / f"a.txt{suffix}") == [content.strip()]
    assert ALLOWED == 100_000_000


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_damage_is_one_line(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    whole = COMPRESSORS[suffix](os.urandom(2000).hex().encode())
    for damaged in (whole[:-30], whole[:20], whole[:500] + b"x" * 500 + whole[1000:]):
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match=rf"a.txt{suffix}: the compressed file is damaged or cut off"):
            texts(path)
    for other in (b"", b"plain text", b"\x1f"):
        path.write_bytes(other)
        with pytest.raises(BadInput, match=rf"a.txt{suffix}: (not a {suffix} file|the file is empty); "):
            texts(path)


def test_a_file_of_holes_is_refused_by_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"text\nx\n"))
    with path.open("ab") as file:
        file.truncate(10**10)
    with pytest.raises(BadInput, match="a.csv.gz: the file is binary"):
        source_digest(str(path))


def test_the_suffix_of_the_compression_is_no_part_of_the_kind() -> None:
    assert [plain_name(name) for name in ("a.txt.gz", "a.CSV.XZ", "a.txt", "gz", ".gz", "a.zip")] == [
        "a.txt",
        "a.CSV",
        "a.txt",
        "gz",
        ".gz",
        "a.zip",
    ]
    assert [compression_of(name) for name in ("a.txt.gz", "a.ZIP", "a.txt", "b/c.xz")] == [".gz", ".zip", "", ".xz"]
