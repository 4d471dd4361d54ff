import hashlib
from pathlib import Path

import pytest

from robo_poet.digest import CHUNK, digest_bytes, digest_file, digest_json, digest_path


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    data = b"ab" * CHUNK
    (tmp_path / "file").write_bytes(data)
    assert digest_file(tmp_path / "file") == digest_path(tmp_path / "file") == digest_bytes(data) == hashlib.sha256(data).hexdigest()


def test_the_order_of_keys_does_not_change_a_json_digest() -> None:
    assert digest_json({"a": 1, "ü": [2]}) == digest_json({"ü": [2], "a": 1}) != digest_json({"a": 1, "ü": [3]})


def test_a_folder_digest_covers_inner_names_and_contents_only(tmp_path: Path) -> None:
    digests = []
    for folder, name, text in (("a", "x", "1"), ("b", "x", "1"), ("c", "y", "1"), ("d", "x", "2")):
        (tmp_path / folder / "inner").mkdir(parents=True)
        (tmp_path / folder / "inner" / name).write_text(text)
        digests.append(digest_path(tmp_path / folder))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_missing_path_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest_path(tmp_path / "missing")
