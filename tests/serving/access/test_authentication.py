"""Authentication by API keys. Tokens are tested in `test_json_web_token`. Covers: caller."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.settings.serve import AccessSettings
from serving.access.api_keys import DAY_SECONDS, CreatedKey, KeyStore, key_text, new_key
from serving.access.authentication import Authenticator, ExpiredOrRevoked, require_scope
from serving.access.caller import Caller, Consent, may_train
from serving.refusal import Refused
from tests.serving.access.manual_clock import ManualClock


def authenticator(folder: Path, clock: ManualClock | None = None, messages: list[str] | None = None) -> Authenticator:
    say = (messages if messages is not None else []).append
    return Authenticator(AccessSettings(look_seconds=1e-9), folder, say, clock or time.time)


def refusal(access: Authenticator, authorization: str | None = None, api_key: str | None = None) -> Refused:
    with pytest.raises(Refused) as refused:
        access.authenticate(authorization, api_key)
    assert refused.value.status == 401 and refused.value.headers["WWW-Authenticate"].startswith("Bearer")
    return refused.value


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> KeyStore:
    return KeyStore(tmp_path / "keys", clock)


@pytest.fixture
def made(store: KeyStore) -> CreatedKey:
    return store.create("ann", ["generate"], 2)


@pytest.fixture
def access(store: KeyStore, clock: ManualClock, made: CreatedKey) -> Authenticator:
    return authenticator(store.folder, clock)


def test_a_key_is_accepted_in_either_header(made: CreatedKey, access: Authenticator) -> None:
    caller = access.authenticate(f"Bearer {made.text}", None)
    assert (caller.user, caller.credential, caller.scopes) == ("ann", made.key.id, {"generate"})
    assert access.authenticate(None, made.text) == access.authenticate(f"bearer  {made.text}", made.text) == caller


def test_a_missing_scope_is_forbidden(made: CreatedKey, access: Authenticator) -> None:
    caller = access.authenticate(None, made.text)
    require_scope(caller, "generate")
    with pytest.raises(Refused, match="lacks the scope feedback") as forbidden:
        require_scope(caller, "feedback")
    assert (forbidden.value.status, forbidden.value.code) == (403, "missing_scope")


def test_after_a_rotation_both_keys_are_valid_until_the_overlap_ends(
    store: KeyStore, made: CreatedKey, clock: ManualClock, access: Authenticator
) -> None:
    after = store.rotate(made.key.id, 1, 90)
    clock.now += DAY_SECONDS - 1
    assert access.authenticate(None, made.text).user == access.authenticate(None, after.text).user == "ann"
    clock.now += 2
    expired = refusal(access, api_key=made.text)
    assert expired.code == "expired_credentials"
    assert isinstance(expired, ExpiredOrRevoked) and (expired.caller.user, expired.caller.credential) == ("ann", made.key.id)
    assert access.authenticate(None, after.text).user == "ann"


def test_a_revoked_key_is_refused(store: KeyStore, made: CreatedKey, access: Authenticator) -> None:
    assert access.authenticate(None, made.text).user == "ann"
    store.revoke(made.key.id, "lost")
    assert refusal(access, api_key=made.text).code == "revoked_credentials"


def test_unknown_forged_and_wrong_credentials_get_the_same_answer(store: KeyStore, made: CreatedKey, access: Authenticator) -> None:
    store.revoke(made.key.id, "lost")
    id_, secret = new_key()
    answers = {
        refusal(access, api_key=text).message
        for text in (key_text(id_, secret), key_text(made.key.id, secret), "rp_x", "eyJhbGciOiJub25lIn0.e30.", "anything")
    }
    assert answers == {"the API key or token is not valid"}  # without the secret a client does not learn that the key is revoked


def test_missing_malformed_and_contradicting_headers_are_refused(made: CreatedKey, access: Authenticator) -> None:
    assert refusal(access).code == "missing_credentials"
    assert refusal(access, "Basic YTpi").code == refusal(access, "Bearer a b").code == "invalid_credentials"
    assert "differ" in refusal(access, f"Bearer {made.text}", key_text(*new_key())).message


@given(st.text(max_size=120) | st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")))
def test_any_other_text_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    access = authenticator(tmp_path_factory.getbasetemp() / "no-keys")
    for headers in ((text, None), (None, text), (f"Bearer {text}", None)):
        refusal(access, *headers)


def test_a_key_that_is_damaged_later_keeps_its_last_value(store: KeyStore, made: CreatedKey, clock: ManualClock) -> None:
    messages: list[str] = []
    access = authenticator(store.folder, clock, messages)
    given = store.create("eve", ["generate"], 2, Consent.USER)
    damaged = store.folder / f"{made.key.id}.json"
    content = damaged.read_text()
    assert access.authenticate(None, given.text).consent == "user"
    for path in (damaged, store.folder / f"{given.key.id}.json"):
        path.write_text("{")
    os.utime(store.folder, ns=(1, 1))
    assert access.authenticate(None, given.text).consent == "no"  # a withdrawal may be what is damaged
    (store.folder / f"{given.key.id}.json").unlink()
    with pytest.raises(BadInput, match="the key file is damaged"):
        authenticator(store.folder)  # a gateway does not start with it
    assert access.authenticate(None, made.text).user == "ann"
    assert "last loaded values" in access.degraded and len(messages) == 1
    damaged.write_text(content)
    assert access.authenticate(None, made.text).user == "ann" and access.degraded == ""


def test_a_damaged_key_does_not_hide_the_revocation_of_another(store: KeyStore, made: CreatedKey, clock: ManualClock) -> None:
    other = store.create("bob", ["generate"], 2)
    access = authenticator(store.folder, clock)
    (store.folder / f"{other.key.id}.json").write_text("{")
    (store.folder / "notes.json").write_text("not a key")
    store.revoke(made.key.id, "leaked")
    os.utime(store.folder, ns=(1, 1))
    assert refusal(access, api_key=made.text).code == "revoked_credentials"
    assert access.authenticate(None, other.text).user == "bob" and "some API key files cannot be read" in access.degraded


def test_an_unreadable_revocation_ends_the_key(store: KeyStore, made: CreatedKey, access: Authenticator) -> None:
    (store.folder / f"{made.key.id}.revoked.json").touch()
    os.utime(store.folder, ns=(1, 1))
    assert refusal(access, api_key=made.text).code == "invalid_credentials"


def test_a_revocation_from_a_clock_that_is_ahead_is_effective_now(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys", lambda: time.time() + 600)
    made = store.create("ann", ["generate"], 2)
    store.revoke(made.key.id, "leaked")
    assert refusal(authenticator(store.folder), api_key=made.text).code == "revoked_credentials"


@given(st.sampled_from(Consent), st.booleans())
def test_an_application_consents_only_for_its_readers(consent: Consent, is_application: bool) -> None:
    scopes = frozenset({"generate", "end-users"} if is_application else {"generate"})
    allowed = may_train(Caller("ann", "k", scopes, consent))
    assert allowed == (consent is Consent.READERS or (consent is Consent.USER and not is_application))
    assert not may_train(Caller("ann", "k", scopes))
