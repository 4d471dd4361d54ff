"""API keys in their folder: creation, rotation, revocation, and folders that cannot be used."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from serving.access.api_keys import DAY_SECONDS, KeyStatus, KeyStore, key_text, new_key, parse_key_text
from serving.access.caller import Consent
from tests.serving.access.manual_clock import ManualClock


@given(st.integers(0, 2**80 - 1))
def test_the_text_of_a_key_is_parsed_and_a_changed_text_is_not(number: int) -> None:
    id_, secret = new_key()
    text = key_text(id_, secret)
    assert parse_key_text(text) == (id_, secret)
    at = number % len(text)
    changed = text[:at] + ("!" if text[at] != "!" else "?") + text[at + 1 :]
    assert parse_key_text(changed) is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0.01, 5)),
        st.tuples(st.just("rotate"), st.floats(0, 3)),
        st.tuples(st.just("revoke"), st.just(0.0)),
    ),
    max_size=8,
)


@given(st.floats(0.5, 4), STEPS)
def test_an_ended_key_never_becomes_valid_again(
    tmp_path_factory: pytest.TempPathFactory, days: float, steps: list[tuple[str, float]]
) -> None:
    clock = ManualClock()
    store = KeyStore(tmp_path_factory.mktemp("keys") / "k", clock)
    made = store.create("ann", ["generate"], days)
    ended = False
    for action, value in steps:
        if action == "wait":
            clock.now += value * DAY_SECONDS
        elif action == "revoke":
            store.revoke(made.key.id, "lost")
        else:
            try:
                store.rotate(made.key.id, value, 1)
            except BadInput:
                assert store.key(made.key.id).status(clock.now) is not KeyStatus.GOOD
        key = store.key(made.key.id)
        assert key.expires <= made.key.expires and key.matches(made.text.split("_", 2)[2])
        good = key.status(clock.now) is KeyStatus.GOOD
        assert not (ended and good)
        ended = not good


def test_a_revoked_key_cannot_be_rotated(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    store.revoke(made.key.id, "lost")
    with pytest.raises(BadInput, match="the key is revoked; create a new one"):
        store.rotate(made.key.id, 1, 90)


def test_the_secret_is_neither_stored_nor_shown(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    secret = made.text.split("_", 2)[2]
    stored = "".join(path.read_text() for path in (tmp_path / "keys").iterdir())
    assert secret not in stored and secret not in repr(made) and secret not in repr(store.read_all())


def test_only_the_owner_may_read_folder_and_files(tmp_path: Path) -> None:
    KeyStore(tmp_path / "keys").create("ann", ["generate"], 2)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "keys").iterdir())


def test_a_whole_key_text_revokes_the_key_and_is_not_repeated_in_errors(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    with pytest.raises(BadInput, match="^ID: no such key") as error:
        store.revoke(made.text + "x", "leaked")
    assert made.text[20:30] not in str(error.value)
    assert store.revoke(made.text, "leaked").revoked is not None


@pytest.mark.parametrize(
    "user, scopes, days, message",
    [
        ("", ["generate"], 1, "user: the name must have 1 to 128"), ("a\nb", ["generate"], 1, "user: the name must have 1 to 128"),
        ("a", [], 1, "scope: no scope is given; choose from generate"), ("a", ["fly"], 1, "scope: unknown scope fly; choose from generate"),
        ("a", ["generate"], 0, "days: 0 is out of range"), ("a", ["generate"], float("nan"), "days: nan is out of range"),
    ],
)  # fmt: skip
def test_an_invalid_key_is_not_created(user: str, scopes: list[str], days: float, message: str, tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    with pytest.raises(BadInput, match=message):
        store.create(user, scopes, days)
    assert store.read_all() == []


def test_a_path_is_not_an_id(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such key"):
        KeyStore(tmp_path / "keys").revoke("../x", "lost")


def test_a_damaged_key_file_is_an_error(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    (store.folder / f"{made.key.id}.json").write_text("{")
    os.utime(store.folder, ns=(1, 1))
    with pytest.raises(BadInput, match="the key file is damaged; restore it"):
        store.read_all()


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    KeyStore(tmp_path / "keys")
    (tmp_path / "keys").chmod(0o777)
    with pytest.raises(BadInput, match="other users can write to the key folder; run chmod 700"):
        KeyStore(tmp_path / "keys")


def test_a_key_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    (store.folder / f"{made.key.id}.json").chmod(0o666)
    with pytest.raises(BadInput, match="other users can write to the key file; run chmod 600"):
        store.read_all()


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="the folder for API keys cannot be created"):
        KeyStore(tmp_path / "file")


def test_consent_is_no_by_default_is_kept_by_a_rotation_and_withdrawn_for_all_keys_of_the_user(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    silent, given = store.create("ben", ["generate"], 2), store.create("ann", ["generate"], 2, Consent.USER)
    rotated = store.rotate(given.key.id, 1, 90)
    assert [store.key(made.key.id).consent for made in (silent, given, rotated)] == ["no", "user", "user"]
    assert {key.id for key in store.withdraw(given.key.id)} == {given.key.id, rotated.key.id}
    assert store.withdraw(given.key.id) == [] == store.withdraw(silent.key.id)
    assert [(key.consent, key.withdrawn) for key in map(store.key, (given.key.id, rotated.key.id))] == [("no", True)] * 2
    assert store.rotate(rotated.key.id, 1, 90).key.consent == "no"  # a rotation does not give a withdrawn consent again
    assert store.create("ann", ["generate"], 2, Consent.USER).key.consent == "user"


def test_a_key_of_an_older_release_has_no_consent_and_an_unreadable_withdrawal_counts(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    old, given = store.create("ann", ["generate"], 2), store.create("eve", ["generate"], 2, Consent.USER)
    path = store.folder / f"{old.key.id}.json"
    path.write_text(json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name != "consent"}))
    (store.folder / f"{given.key.id}.withdrawn.json").write_bytes(b"\x00")
    assert [store.key(made.key.id).consent for made in (old, given)] == ["no", "no"]


@pytest.mark.parametrize(("consent", "scopes"), [(Consent.READERS, ["generate"]), (Consent.USER, ["generate", "end-users"])])
def test_a_consent_that_does_not_fit_the_scopes_is_refused(tmp_path: Path, consent: Consent, scopes: list[str]) -> None:
    store = KeyStore(tmp_path / "keys")
    with pytest.raises(BadInput, match="consent: a key with"):
        store.create("app", scopes, 2, consent)
    assert not list(store.folder.iterdir())
