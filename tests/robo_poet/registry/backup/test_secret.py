import base64
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.backup.secret import read_secret

KEY = base64.b64encode(bytes(range(32))).decode()


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_comes_from_a_file_or_a_variable(tmp_path: Path) -> None:
    from_file = read_secret(write(tmp_path / "key", f"{KEY}\n"))
    from_variable = read_secret(key_variable="BACKUP_KEY", environment={"BACKUP_KEY": KEY})
    assert from_file.value == from_variable.value == bytes(range(32)) == from_file.stretch(b"salt")


def test_a_passphrase_is_stretched_with_the_salt(tmp_path: Path) -> None:
    secret = read_secret(passphrase_file=write(tmp_path / "words", "correct horse battery staple\n"))
    assert secret.value == b"correct horse battery staple"
    first, second = secret.stretch(b"salt one"), secret.stretch(b"salt two")
    assert len(first) == 32 and first != second


@pytest.mark.parametrize(("text", "mode", "message"), [
    ("", 0o600, "this is not a key of 32 bytes in base64; make one: openssl rand -base64 32"),
    ("c2hvcnQ=", 0o600, "this is not a key"),
    ("not base64", 0o600, "this is not a key"),
    ("\udcff", 0o600, "cannot be read"),
    (KEY, 0o644, "other users can read the secret of the backup; run chmod 600"),
])  # fmt: skip
def test_a_bad_key_file_is_one_line(tmp_path: Path, text: str, mode: int, message: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(mode)
    with pytest.raises(BadInput, match=message):
        read_secret(path)


def test_exactly_one_place_is_given(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no secret is given; give one of --key-file"):
        read_secret()
    with pytest.raises(BadInput, match="several secrets are given"):
        read_secret(tmp_path / "key", "NAME")
    with pytest.raises(BadInput, match="NAME: the environment variable is not set"):
        read_secret(key_variable="NAME", environment={})
    with pytest.raises(BadInput, match="cannot be examined"):
        read_secret(tmp_path / "missing")
    with pytest.raises(BadInput, match="less than 12 characters"):
        read_secret(passphrase_file=write(tmp_path / "words", "short\n"))
