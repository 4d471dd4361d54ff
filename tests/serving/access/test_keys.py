"""Keys from their making to their end, on disk and in a running gateway."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.settings.serve import AccessSettings
from serving.access.api_keys import DAY_SECONDS, KeyStatus, KeyStore, key_text, new_key, parse_key_text
from serving.access.authentication import Authenticator, ExpiredOrRevoked, require_scope
from serving.access.key_ring import KeyRing
from serving.refusal import Refused


class Clock:
    """Time that a test moves."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def gate(folder: Path, clock: Clock | None = None, said: list[str] | None = None) -> Authenticator:
    return Authenticator(AccessSettings(look_seconds=1e-9), folder, (said if said is not None else []).append, clock or Clock())


def refusal(access: Authenticator, authorization: str | None = None, api_key: str | None = None) -> Refused:
    with pytest.raises(Refused) as refused:
        access.authenticate(authorization, api_key)
    assert refused.value.status == 401 and refused.value.headers["WWW-Authenticate"].startswith("Bearer")
    return refused.value


def test_a_key_opens_until_it_ends(tmp_path: Path) -> None:
    clock = Clock()
    store = KeyStore(tmp_path / "keys", clock)
    access = gate(tmp_path / "keys", clock)
    made = store.create("ann", ["generate"], 2)
    caller = access.authenticate(f"Bearer {made.text}", None)
    assert (caller.user, caller.credential, caller.scopes) == ("ann", made.key.id, {"generate"})
    assert access.authenticate(None, made.text) == access.authenticate(f"bearer  {made.text}", made.text) == caller
    require_scope(caller, "generate")
    with pytest.raises(Refused, match="lacks the scope feedback") as forbidden:
        require_scope(caller, "feedback")
    assert forbidden.value.status == 403

    after = store.rotate(made.key.id, 1, 90)
    clock.now += DAY_SECONDS - 1
    assert access.authenticate(None, made.text).user == access.authenticate(None, after.text).user == "ann"
    clock.now += 2
    ended = refusal(access, api_key=made.text)
    assert ended.code == "expired_credentials"
    assert isinstance(ended, ExpiredOrRevoked) and (ended.caller.user, ended.caller.credential) == ("ann", made.key.id)
    assert access.authenticate(None, after.text).user == "ann"
    store.revoke(after.key.id, "lost")
    assert refusal(access, api_key=after.text).code == "revoked_credentials"
    with pytest.raises(BadInput, match="the key is revoked; create a new one"):
        store.rotate(after.key.id, 1, 90)


def test_unknown_forged_and_wrong_are_one_answer(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    store.revoke(made.key.id, "lost")
    access = gate(tmp_path / "keys")
    id_, secret = new_key()
    answers = {
        refusal(access, api_key=text).message
        for text in (key_text(id_, secret), key_text(made.key.id, secret), "rp_x", "eyJhbGciOiJub25lIn0.e30.", "anything")
    }
    assert answers == {"the API key or token is not valid"}  # without the secret a client does not learn that the key is revoked
    assert refusal(access).code == "missing_credentials"
    assert refusal(access, "Basic YTpi").code == refusal(access, "Bearer a b").code == "invalid_credentials"
    assert "differ" in refusal(access, f"Bearer {made.text}", key_text(id_, secret)).message


@given(st.text(max_size=120) | st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")))
def test_no_text_that_is_no_key_gets_in(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    access = gate(tmp_path_factory.getbasetemp() / "no-keys")
    for given_ in ((text, None), (None, text), (f"Bearer {text}", None)):
        refusal(access, *given_)


@given(st.integers(0, 2**80 - 1))
def test_a_key_is_parsed_as_it_was_written(number: int) -> None:
    id_, secret = new_key()
    assert parse_key_text(key_text(id_, secret)) == (id_, secret)
    broken = key_text(id_, secret)
    at = number % len(broken)
    changed = broken[:at] + ("!" if broken[at] != "!" else "?") + broken[at + 1 :]
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
def test_whatever_happens_to_a_key_it_never_lives_again(
    tmp_path_factory: pytest.TempPathFactory, days: float, steps: list[tuple[str, float]]
) -> None:
    clock = Clock()
    store = KeyStore(tmp_path_factory.mktemp("keys") / "k", clock)
    made = store.create("ann", ["generate"], days)
    ended = False
    for what, value in steps:
        if what == "wait":
            clock.now += value * DAY_SECONDS
        elif what == "revoke":
            store.revoke(made.key.id, "lost")
        else:
            try:
                store.rotate(made.key.id, value, 1)
            except BadInput:
                assert store.key(made.key.id).status(clock.now) is not KeyStatus.GOOD
        now = store.key(made.key.id)
        assert now.expires <= made.key.expires and now.matches(made.text.split("_", 2)[2])
        good = now.status(clock.now) is KeyStatus.GOOD
        assert not (ended and good)
        ended = not good


def test_nothing_secret_is_kept_or_shown(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    made = store.create("ann", ["generate"], 2)
    secret = made.text.split("_", 2)[2]
    kept = "".join(path.read_text() for path in (tmp_path / "keys").iterdir())
    assert secret not in kept and secret not in repr(made) and secret not in repr(store.read_all())
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "keys").iterdir())


def test_keys_that_cannot_be_read_stop_the_start_and_not_the_day(tmp_path: Path) -> None:
    folder, said = tmp_path / "keys", []
    store = KeyStore(folder)
    made = store.create("ann", ["generate"], 2)
    access = gate(folder, Clock(), said)
    damaged = folder / f"{made.key.id}.json"
    whole = damaged.read_text()
    damaged.write_text("{")
    os.utime(folder, ns=(1, 1))
    with pytest.raises(BadInput, match="the key file is damaged; restore it"):
        gate(folder)
    assert access.authenticate(None, made.text).user == "ann"
    assert "last loaded values" in access.degraded and len(said) == 1
    damaged.write_text(whole)
    assert access.authenticate(None, made.text).user == "ann" and access.degraded == ""
    folder.chmod(0o777)
    with pytest.raises(BadInput, match="other users can write to the key folder; run chmod 700"):
        gate(folder)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="folder for API keys cannot be created"):
        KeyStore(tmp_path / "file")


def test_keys_that_cannot_be_read_for_long_let_nobody_in(tmp_path: Path) -> None:
    store, now, said = KeyStore(tmp_path / "keys"), [0.0], []
    made = store.create("ann", ["generate"], 2)
    ring = KeyRing(store, 1.0, 600.0, said.append, lambda: now[0])
    (tmp_path / "keys").rename(tmp_path / "moved")
    now[0] = 600.0
    assert ring.find(made.key.id) is not None and "the last loaded keys are used" in ring.degraded
    now[0] = 602.0
    with pytest.raises(Refused) as refused:
        ring.find(made.key.id)
    assert refused.value.status == 503 and "all API keys are refused" in ring.degraded and len(said) == 1
    (tmp_path / "moved").rename(tmp_path / "keys")
    now[0] = 604.0
    assert ring.find(made.key.id) is not None and ring.degraded == "" and len(said) == 2


@pytest.mark.parametrize(
    "user, scopes, days, told",
    [
        ("", ["generate"], 1, "the name must have 1 to 128"), ("a\nb", ["generate"], 1, "the name must have 1 to 128"), ("a", [], 1, "no scope is given; choose from generate"),
        ("a", ["fly"], 1, "unknown scope fly; choose from generate"), ("a", ["generate"], 0, "days: 0 is out of range"), ("a", ["generate"], float("nan"), "nan is out of range"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_key_is_refused(user: str, scopes: list[str], days: float, told: str, tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    with pytest.raises(BadInput, match=told):
        store.create(user, scopes, days)
    with pytest.raises(BadInput, match="no such key"):
        store.revoke("../x", "lost")
    assert store.read_all() == []
