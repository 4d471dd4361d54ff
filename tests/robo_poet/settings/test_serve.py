from typing import Any

import pytest
from pydantic import ValidationError

from robo_poet.settings.serve import AccessSettings, ServeSettings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tls_certificate": "chain.pem"}, "tls_certificate and tls_key must be given together"),
        ({"tls_key": "key.pem"}, "tls_certificate and tls_key must be given together"),
        ({"trusted_proxies": ["10.0.0.0/33"]}, "does not appear to be an IPv4 or IPv6 network"),
        ({"model_server": "http://user@host"}, "String should match pattern"),
        ({"canary_share": 0.1}, "Extra inputs are not permitted"),
    ],
)
def test_invalid_serve_settings_are_rejected(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ServeSettings.model_validate(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"jwks": "keys.json"}, "jwks needs an issuer"),
        ({"jwks": "http://issuer.example/keys", "issuer": "i"}, "jwks must be https"),
    ],
)
def test_invalid_token_settings_are_rejected(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AccessSettings.model_validate(values)


@pytest.mark.parametrize("jwks", ["keys.json", "https://issuer.example/keys", "http://127.0.0.1:9/keys", "http://localhost/keys"])
def test_a_key_set_comes_from_a_file_https_or_this_machine(jwks: str) -> None:
    assert AccessSettings(jwks=jwks, issuer="i").jwks == jwks
