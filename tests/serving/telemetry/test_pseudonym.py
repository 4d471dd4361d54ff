import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key


def test_a_key_is_created_once_and_readable_only_by_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    key = read_or_create_key(path)
    assert len(key) == 32
    assert read_or_create_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["key"]


def test_replicas_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    for n in range(20):
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(read_or_create_key, [tmp_path / f"key{n}"] * 8))) == 1


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"x" * 32, 0o644, "other users can read"),
        (b"short", 0o600, "the key has 5 bytes instead of 32"),
        (b"", 0o600, "the key has 0 bytes"),
    ],
)
def test_an_invalid_key_file_is_refused(tmp_path: Path, content: bytes, mode: int, message: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(BadInput, match=f"key: {message}"):
        read_or_create_key(path)


def test_a_path_that_cannot_hold_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "key", tmp_path):
        with pytest.raises(BadInput, match="cannot be read or created"):
            read_or_create_key(path)


ONE, OTHER = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
TEXTS = st.text() | st.just("\ud800")


@given(TEXTS)
def test_digests_depend_on_the_value_and_on_the_key(value: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", ONE.user(value))
    assert re.fullmatch("[0-9a-f]{64}", ONE.text(value))
    assert ONE.user(value) == Pseudonyms(b"1" * 32).user(value) != OTHER.user(value)
    assert ONE.texts([value, value]) == [ONE.text(value)] * 2
    assert ONE.text(value) != OTHER.text(value)
    assert not ONE.text(value).startswith(ONE.user(value))  # a text that is a user's name does not carry the pseudonym


@given(TEXTS, TEXTS)
def test_different_values_have_different_pseudonyms(one: str, other: str) -> None:
    assert (ONE.user(one) == ONE.user(other)) == (one == other)
