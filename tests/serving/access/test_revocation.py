"""A revocation holds, whatever else is wrong in the folder."""

import os
import time
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.settings.serve import AccessSettings
from serving.access.api_keys import KeyStore
from serving.access.authentication import Authenticator
from serving.refusal import Refused


def refused(access: Authenticator, text: str) -> str:
    with pytest.raises(Refused) as refusal:
        access.authenticate(None, text)
    return refusal.value.code


def opened(folder: Path) -> Authenticator:
    return Authenticator(AccessSettings(look_seconds=1e-9), folder, lambda line: None)


def test_a_damaged_key_does_not_hide_the_revocation_of_another(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    leaked, other = store.create("ann", ["generate"], 2), store.create("bob", ["generate"], 2)
    access = opened(store.folder)
    (store.folder / f"{other.key.id}.json").write_text("{")
    (store.folder / "notes.json").write_text("not a key")
    store.revoke(leaked.key.id, "leaked")
    os.utime(store.folder, ns=(1, 1))
    assert refused(access, leaked.text) == "revoked_credentials"
    assert access.authenticate(None, other.text).user == "bob" and "some API key files cannot be read" in access.degraded


def test_an_unreadable_revocation_ends_the_key(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    access = opened(store.folder)
    (store.folder / f"{made.key.id}.revoked.json").touch()
    os.utime(store.folder, ns=(1, 1))
    assert refused(access, made.text) == "invalid_credentials"


def test_a_revocation_by_a_clock_that_is_ahead_holds_now(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys", lambda: time.time() + 600)
    made = store.create("ann", ["generate"], 2)
    store.revoke(made.key.id, "leaked")
    assert refused(opened(store.folder), made.text) == "revoked_credentials"


def test_a_whole_key_revokes_itself_and_is_never_repeated(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    with pytest.raises(BadInput, match="^ID: no such key") as error:
        store.revoke(made.text + "x", "leaked")
    assert made.text[20:30] not in str(error.value)
    assert store.revoke(made.text, "leaked").revoked is not None


def test_a_file_that_others_may_write_is_no_key(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    (store.folder / f"{made.key.id}.json").chmod(0o666)
    with pytest.raises(BadInput, match="other users can write to the key file; run chmod 600"):
        opened(store.folder)
