"""Keys on a laptop and on a cluster, and their files."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.trust.keys import create_private_key, parse_keys
from robo_poet.registry.trust.trust import Trust


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "home"))
    return tmp_path / "home"


def _sign(queue: "multiprocessing.Queue[str]") -> None:
    queue.put(Trust().signer().public.id)


def test_the_first_use_makes_one_private_key(home: Path) -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=_sign, args=(queue,)) for _ in range(4)]
    for process in processes:
        process.start()
    assert len({queue.get(timeout=20) for _ in processes}) == 1
    for process in processes:
        process.join()
    assert stat.S_IMODE((home / "signing.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {key.id for key in parse_keys((home / "trusted_keys").read_text(), "x")} == {Trust().signer().public.id}


def test_a_key_that_others_can_read_is_refused(home: Path) -> None:
    Trust().signer()
    (home / "signing.key").chmod(0o644)
    with pytest.raises(BadInput, match=r"other users can read the signing key; run chmod 600 .*, and treat the key as compromised"):
        Trust().signer()
    (home / "signing.key").chmod(0o600)
    (home / "trusted_keys").chmod(0o666)
    with pytest.raises(BadInput, match="other users can write to the file of trusted keys"):
        Trust().keys()


def test_a_cluster_needs_a_secret(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(BadInput, match=r"signing.key: there is no signing key; mount a secret"):
        Trust().signer()
    assert not home.exists()
    create_private_key(tmp_path / "secret" / "signing.key")
    monkeypatch.setenv("ROBO_POET_SIGNING_KEY", str(tmp_path / "secret" / "signing.key"))
    trust = Trust()
    assert list(trust.keys()) == [trust.signer().public.id]
    assert not home.exists()
    monkeypatch.setenv("ROBO_POET_SIGNING_KEY", str(tmp_path / "gone"))
    with pytest.raises(BadInput, match=r"gone: there is no signing key"):
        Trust().signer()


def test_a_signing_key_that_is_replaced_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that runs for weeks signs with the key that its secret has now, and with none while there is none."""
    secret = tmp_path / "secret"
    monkeypatch.setenv("ROBO_POET_SIGNING_KEY", str(secret))
    create_private_key(secret)
    trust = Trust()
    first = trust.signer().public.id
    secret.unlink()
    with pytest.raises(BadInput, match="there is no signing key"):
        trust.signer()
    create_private_key(secret)
    assert trust.signer().public.id != first and list(trust.keys()) == [trust.signer().public.id]


def test_a_message_names_the_place_where_a_key_is_added(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Trust().signer().public.text
    assert Trust().place_of_keys == str(home / "trusted_keys")
    assert Trust(["/etc/keys", key]).place_of_keys == "/etc/keys"
    assert Trust([key]).place_of_keys == "serve.trusted_keys, and start the programs again"
    monkeypatch.setenv("ROBO_POET_TRUSTED_KEYS", key)
    assert Trust().place_of_keys == "ROBO_POET_TRUSTED_KEYS, and start the programs again"
    with pytest.raises(BadInput, match="serve.trusted_keys: 'no-file' is neither"):
        Trust(["no-file"]).keys()
