"""Settings of authentication and rate limits of the gateway (SERVE-3)."""

from urllib.parse import urlsplit

from pydantic import Field, model_validator

from robo_poet.settings.base import Settings


class AccessSettings(Settings):
    """Section `serve.access` of a profile: API keys, JWT tokens and rate limits."""

    look_seconds: float = Field(1.0, gt=0, le=60, description="a key that is made or revoked is known after so long")
    keys_stale_seconds: float = Field(600, ge=0, le=86_400, description="keys go on holding for so long while they cannot be read")
    jwks: str = Field("", description="public keys of the tokens' issuer, a JWKS: a file, or an https address; empty: no tokens are taken")
    issuer: str = Field("", description="`iss` that a token must have")
    audience: str = Field("robo-poet", min_length=1, description="`aud` that a token must have")
    clock_skew_seconds: int = Field(30, ge=0, le=300, description="by how much clocks may differ")
    token_hours: float = Field(24, gt=0, le=24 * 31, description="longest life of a token, from `iat` to `exp`")
    jwks_seconds: float = Field(300, gt=0, le=86_400, description="the key set is fetched again so often")
    jwks_stale_hours: float = Field(24, gt=0, le=24 * 31, description="and goes on holding for so long while it cannot be fetched")
    tokens_name_our_users: bool = Field(True, description="a token's `sub` and a key's user are one person if they are equal")
    requests_per_minute: int = Field(100, ge=1, le=1_000_000, description="of a user, all keys and tokens together")
    ip_requests_per_minute: int = Field(100, ge=1, le=1_000_000, description="of an address; of IPv6, of a /64")
    redis_variable: str = Field(
        "ROBO_POET_REDIS_URL", description="environment variable with redis://…, where replicas share the counts; unset: each counts alone"
    )
    redis_retry_seconds: float = Field(2.0, gt=0, le=600, description="Redis gone: counted here alone, and it is tried again so often")

    @model_validator(mode="after")
    def _an_issuer_for_tokens(self) -> "AccessSettings":
        if self.jwks and not self.issuer:
            raise ValueError("jwks needs an issuer: a token of anybody's would be taken")
        if self.jwks.startswith("http://") and urlsplit(self.jwks).hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("jwks must be https: whoever changes it on its way makes himself anybody")
        return self
