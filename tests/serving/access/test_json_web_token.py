"""JSON Web Tokens: valid tokens, forged tokens, and the key set of the issuer."""

import base64
import json
import threading
import time
import warnings
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from pydantic import ValidationError

from robo_poet.errors import BadInput
from robo_poet.settings.serve import AccessSettings
from serving.access.authentication import Authenticator
from serving.access.json_web_token import KeySet, read_keys
from serving.refusal import Refused

RSA = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)
ED = ed25519.Ed25519PrivateKey.generate()
STRANGER = ed25519.Ed25519PrivateKey.generate()


def public(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    name = "RSAAlgorithm" if isinstance(key, rsa.RSAPrivateKey) else "OKPAlgorithm"
    return {**json.loads(getattr(jwt.algorithms, name).to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


JWKS = {"keys": [public(RSA, "rsa"), public(ED, "ed"), public(SHORT, "short"), {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"}, "nothing"]}


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    payload = {
        "iss": "https://issuer.example",
        "aud": "robo-poet",
        "sub": "ann",
        "iat": now,
        "exp": now + 6 * 3600,
        "scope": "generate fly",
        "jti": "t1",
        **changed,
    }
    return {name: value for name, value in payload.items() if value is not None}


def signed(key: Any = ED, algorithm: str = "EdDSA", kid: str | None = "ed", headers: dict[str, Any] | None = None, **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm, headers={**({"kid": kid} if kid else {}), **(headers or {})})


@pytest.fixture
def access(tmp_path: Path) -> Authenticator:
    (tmp_path / "jwks.json").write_text(json.dumps(JWKS))
    settings = AccessSettings(jwks=str(tmp_path / "jwks.json"), issuer="https://issuer.example")
    return Authenticator(settings, tmp_path / "keys", lambda line: None)


@pytest.mark.parametrize(
    "token",
    [
        signed(),
        signed(RSA, "RS256", "rsa"),
        signed(headers={"typ": "at+jwt"}),
        signed(headers={"typ": "application/at+jwt"}),
        signed(headers={"typ": "application/JWT"}),
        signed(aud=["other", "robo-poet"]),
    ],
)
def test_a_valid_token_gives_its_caller(token: str, access: Authenticator) -> None:
    caller = access.authenticate(f"Bearer {token}", None)
    assert (caller.user, caller.credential, caller.scopes) == ("ann", "jwt:t1", {"generate"})


def test_scopes_are_read_from_a_string_or_a_list(access: Authenticator) -> None:
    for given, found in (("generate feedback", {"generate", "feedback"}), (["metrics", 7], {"metrics"}), (7, set()), (None, set())):
        assert access.authenticate(f"Bearer {signed(scope=given)}", None).scopes == found


@pytest.mark.parametrize(
    ("claim", "consent"),
    [
        (True, "user"),
        ("user", "user"),
        ("readers", "readers"),
        (False, "no"),
        (None, "no"),
        ("true", "no"),
        ("no", "no"),
        (1, "no"),
        ([], "no"),
    ],
)
def test_a_token_consents_only_by_the_claim_that_is_set(tmp_path: Path, access: Authenticator, claim: Any, consent: str) -> None:
    token = f"Bearer {signed(may_train=claim)}"
    settings = AccessSettings(jwks=str(tmp_path / "jwks.json"), issuer="https://issuer.example", consent_claim="may_train")
    assert Authenticator(settings, tmp_path / "keys", lambda line: None).authenticate(token, None).consent == consent
    assert access.authenticate(token, None).consent == "no"


def unsigned() -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'kid': 'ed'})}.{part(claims())}."


def confused() -> str:
    """Signed by HMAC with the public key as its secret."""
    import hashlib
    import hmac

    secret = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "HS256", "kid": "rsa"}, claims())
    )
    mac = base64.urlsafe_b64encode(hmac.digest(secret, f"{head}.{body}".encode(), hashlib.sha256)).rstrip(b"=").decode()
    return f"{head}.{body}.{mac}"


def tampered() -> str:
    head, body, mac = signed().split(".")
    other = signed(sub="bob").split(".")[1]
    return f"{head}.{other}.{mac}" if body != other else ""


def short() -> str:
    with warnings.catch_warnings(action="ignore"):  # our own encoder minds, too
        return signed(SHORT, "RS256", "short")


def now() -> int:
    """When it is asked: a token that is made while tests are collected may have expired when they run."""
    return int(time.time())


FORGED: dict[str, Callable[[], str]] = {
    "no algorithm": unsigned, "hmac by the public key": confused, "another body": tampered,
    "a stranger's key": lambda: signed(STRANGER), "a short RSA key": short,
    "another hash": lambda: signed(RSA, "RS512", "rsa"), "rsa's token by the name of ed": lambda: signed(RSA, "RS256", "ed"),
    "no key id": lambda: signed(kid=None), "a path as key id": lambda: signed(kid="../../etc/passwd"), "an unknown key id": lambda: signed(kid="new"),
    "another issuer": lambda: signed(iss="https://evil.example"), "no issuer": lambda: signed(iss=None), "another audience": lambda: signed(aud="other"),
    "no audience": lambda: signed(aud=None), "no subject": lambda: signed(sub=None), "an empty subject": lambda: signed(sub=""),
    "a subject of control characters": lambda: signed(sub="a\nb"), "no end": lambda: signed(exp=None), "no beginning": lambda: signed(iat=None),
    "lives for years": lambda: signed(exp=now() + 10**8), "ends before it begins": lambda: signed(iat=now() + 20, exp=now() + 10),
    "not yet": lambda: signed(nbf=now() + 600), "begins tomorrow": lambda: signed(iat=now() + 86_400, exp=now() + 90_000),
    "critical extensions": lambda: signed(headers={"crit": ["b64"], "b64": False}), "another type": lambda: signed(headers={"typ": "secevent+jwt"}),
    "a type that is not a word": lambda: signed(headers={"typ": 7}) , "too large": lambda: signed(more="x" * 9000), "three dots": lambda: "a.b.c",
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(name: str, access: Authenticator) -> None:
    try:
        token = FORGED[name]()
    except (TypeError, ValueError, jwt.PyJWTError) as error:  # our own encoder refuses to write it
        pytest.fail(f"the forgery was not made: {error}")
    with pytest.raises(Refused) as refused:
        access.authenticate(f"Bearer {token}", None)
    assert (refused.value.status, refused.value.code) == (401, "invalid_credentials")
    with pytest.raises(Refused):
        access.authenticate(None, token)


def test_clocks_may_differ_by_30_seconds(access: Authenticator) -> None:
    now = int(time.time())
    assert access.authenticate(f"Bearer {signed(iat=now - 600, exp=now - 20)}", None).user == "ann"
    assert access.authenticate(f"Bearer {signed(iat=now + 20, nbf=now + 20)}", None).user == "ann"
    with pytest.raises(Refused) as expired:
        access.authenticate(f"Bearer {signed(iat=now - 600, exp=now - 40)}", None)
    assert expired.value.code == "expired_credentials"


def test_a_key_set_is_refreshed_in_the_background_and_the_last_one_expires(tmp_path: Path) -> None:
    path, now, said = tmp_path / "jwks.json", [0.0], []
    path.write_text(json.dumps({"keys": [public(RSA, "rsa")]}))
    keys = KeySet(str(path), 300, 3600, said.append, lambda: now[0])

    def settled(id_: str) -> bool:
        found = keys.find(id_) is not None
        with keys._fetch_lock:  # wait for the fetch
            return found

    assert settled("rsa") and not settled("ed")
    path.write_text(json.dumps(JWKS))
    assert not settled("ed")  # not fetched again so soon: a client can invent ids
    now[0] += 11
    assert not settled("ed")  # this request is refused, and fetches for the next
    assert settled("ed")
    path.unlink()
    now[0] += 301
    assert settled("rsa") and settled("rsa") and keys.degraded and len(said) == 1
    now[0] += 3600
    with pytest.raises(Refused) as refused:
        keys.find("rsa")  # too old, which is a fault of the server
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "10")
    path.write_text(json.dumps(JWKS))
    now[0] += 301
    with pytest.raises(Refused):
        keys.find("rsa")
    assert eventually(lambda: keys.degraded == "") and keys.find("rsa") is not None


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
    return True


def test_an_issuer_that_is_down_at_the_start_is_retried() -> None:
    well, said, now = [False], [], [0.0]

    class Issuer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if well[0] else 502)
            self.end_headers()
            self.wfile.write(json.dumps(JWKS).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Issuer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        keys = KeySet(f"http://127.0.0.1:{server.server_port}/jwks", 300, 3600, said.append, lambda: now[0])
        assert "all tokens are refused" in keys.degraded and len(said) == 1
        with pytest.raises(Refused) as refused:
            keys.find("rsa")
        assert refused.value.status == 503
        well[0], now[0] = True, 11.0
        with pytest.raises(Refused):
            keys.find("rsa")  # it is asked again, for the next request
        assert eventually(lambda: keys.degraded == "") and keys.find("rsa") is not None
        server.shutdown()


@pytest.mark.parametrize("text", ["", "[]", '{"keys": []}', json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]})])
def test_a_file_without_usable_keys_is_refused_at_the_start(text: str, tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text(text)
    with pytest.raises(BadInput, match="not a usable key set"):
        KeySet(str(tmp_path / "jwks.json"), 1, 1, lambda line: None)


def test_a_private_key_is_not_used() -> None:
    private = {**json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(ED)), "kid": "a"}
    with pytest.raises(ValueError, match="no usable key"):
        read_keys(json.dumps({"keys": [private]}))


def test_a_key_set_needs_an_issuer_and_https() -> None:
    with pytest.raises(ValidationError, match="jwks needs an issuer"):
        AccessSettings(jwks="https://issuer.example/jwks")
    with pytest.raises(ValidationError, match="jwks must be https"):
        AccessSettings(jwks="http://issuer.example/jwks", issuer="x")
    with pytest.raises(ValidationError, match="jwks must be https"):
        AccessSettings(jwks="http://127.0.0.1:80@issuer.example/jwks", issuer="x")
