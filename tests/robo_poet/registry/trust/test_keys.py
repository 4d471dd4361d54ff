from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.trust.keys import read_private_key
from robo_poet.registry.trust.trust import Trust


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff\xfe"])
def test_a_file_without_a_key_says_how_to_make_one(home: Path, content: bytes) -> None:
    home.mkdir(mode=0o700)
    (home / "signing.key").write_bytes(content)
    (home / "signing.key").chmod(0o600)
    with pytest.raises(BadInput, match=r"has no signing key \(ECDSA P-256, PEM, without password\); make one: openssl"):
        Trust().signer()


def test_keys_of_another_kind_are_refused(tmp_path: Path, home: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())):
        path = tmp_path / "key"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        path.chmod(0o600)
        with pytest.raises(BadInput, match="has no signing key"):
            read_private_key(path)
    home.mkdir(mode=0o700)
    (home / "trusted_keys").write_text("# mine\n\nMFkw comment\n")
    with pytest.raises(BadInput, match=r"trusted_keys:3: 'MFkw' is not a public key"):
        Trust().keys()
