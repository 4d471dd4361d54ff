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
