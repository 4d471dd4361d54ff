"""Settings of the gateway: access, request log, telemetry and the HTTP server (SERVE-1 to SERVE-4, MON-1, DATA-4).

The settings of the content filter are in `content_filter`, because the step measure_text also reads them.
"""

from ipaddress import ip_network
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from robo_poet.settings.base import (
    MIN_SCORE,
    MOST_SCRUB_RULES,
    NAME_THRESHOLD,
    SPACY_MODEL,
    FolderOrBucket,
    LocalFolder,
    NameEngineName,
    ScrubRule,
    Settings,
)
from robo_poet.settings.content_filter import ContentFilterSettings


class AccessSettings(Settings):
    """Section `serve.access` of a profile: API keys, JWT tokens and rate limits."""

    look_seconds: float = Field(
        1.0, gt=0, le=60, description="seconds between two reads of the key folder: a new or revoked key takes effect after it"
    )
    keys_stale_seconds: float = Field(
        600, ge=0, le=86_400, description="seconds for which the known keys stay valid if the key folder cannot be read"
    )
    jwks: str = Field(
        "", description="JWKS with the public keys of the token issuer: a file or an https address; empty: tokens are rejected"
    )
    issuer: str = Field("", description="required claim `iss` of a token")
    audience: str = Field("robo-poet", min_length=1, description="required claim `aud` of a token")
    clock_skew_seconds: int = Field(30, ge=0, le=300, description="largest accepted difference between clocks, in seconds")
    token_hours: float = Field(24, gt=0, le=24 * 31, description="longest accepted lifetime of a token (`iat` to `exp`), in hours")
    jwks_seconds: float = Field(300, gt=0, le=86_400, description="seconds between two fetches of the JWKS")
    jwks_stale_hours: float = Field(24, gt=0, le=24 * 31, description="hours for which the last JWKS stays valid if it cannot be fetched")
    consent_claim: str = Field(
        "",
        description="claim of a token with the consent to train on its prompts: true, `user` or `readers`; empty: no token consents",
    )
    tokens_name_our_users: bool = Field(True, description="the `sub` of a token and an equal user name of a key are the same user")
    requests_per_minute: int = Field(100, ge=1, le=1_000_000, description="rate limit of a user, over all keys and tokens")
    ip_requests_per_minute: int = Field(100, ge=1, le=1_000_000, description="rate limit of an IP address; for IPv6, of a /64 network")
    ip_failures_per_minute: int = Field(
        100, ge=1, le=1_000_000, description="limit of an IP address for requests without a valid key or scope; good keys do not count"
    )
    redis_variable: str = Field(
        "ROBO_POET_REDIS_URL",
        description="environment variable with the address redis://… of a Redis in which replicas share the counts; unset: no sharing",
    )
    redis_retry_seconds: float = Field(
        2.0, gt=0, le=600, description="seconds between two attempts to reach a lost Redis; meanwhile each replica counts by itself"
    )

    @model_validator(mode="after")
    def _check_issuer(self) -> "AccessSettings":
        if self.jwks and not self.issuer:
            raise ValueError("jwks needs an issuer, because otherwise tokens of any issuer would be accepted")
        if self.jwks.startswith("http://") and urlsplit(self.jwks).hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("jwks must be https, because keys that are changed in transit would allow forged tokens")
        return self


class RequestLogSettings(Settings):
    """Section `serve.request_log` of a profile."""

    enabled: bool = Field(True, description="write a log of requests")
    sample_rate: float = Field(1.0, ge=0, le=1, description="share of completions that are logged; the same ones on every replica")
    names: Literal["full", "patterns"] = Field(
        "full", description="personal data that is removed before writing: full (addresses, numbers, names) or patterns (without names)"
    )
    name_engine: NameEngineName = Field("onnx", description="what finds names, as in `scrub`")
    name_threshold: float = Field(NAME_THRESHOLD, gt=0, le=1, description="smallest probability of a word that the engine onnx removes")
    spacy_model: str = Field(SPACY_MODEL, description="spaCy model that finds names if name_engine is spacy")
    min_score: float = Field(MIN_SCORE, ge=0, le=1, description="smallest confidence of a match that is removed")
    rules: tuple[ScrubRule, ...] = Field((), max_length=MOST_SCRUB_RULES, description="additional rules, as in `scrub`")
    queue: int = Field(
        1000, ge=1, le=100_000, description="largest number of records that wait to be written; more are dropped and counted"
    )
    text_queue: int = Field(
        200, ge=1, le=10_000, description="largest number of records whose texts wait for scrubbing; more are logged without texts"
    )
    text_wait_seconds: float = Field(
        10, gt=0, le=600, description="longest time that a text waits for scrubbing, in seconds; then the record is logged without texts"
    )
    scrub_share: float = Field(
        0.1, gt=0, le=1, description="share of one CPU core for finding names; a full core reads 30 KB/s, but slows the model server down"
    )
    scores_per_second: float = Field(
        2, ge=0, le=1000, description="most prompts per second for which the model server computes the perplexity; 0: none"
    )
    part_seconds: float = Field(60, gt=0, le=3600, description="seconds until the records are written as a Parquet file …")
    part_records: int = Field(2000, ge=1, le=100_000, description="… or number of records until then, if that comes first")
    keep_days: int = Field(30, ge=1, le=3650, description="retention period of the records, in days")


class OutcomeSettings(Settings):
    """Section `serve.outcomes` of a profile. The outcomes decide about a canary, so they cannot be switched off or sampled."""

    queue: int = Field(
        20_000, ge=1, le=1_000_000, description="largest number of outcomes that wait for the disk; more are lost and counted"
    )
    shadow_share: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="largest share of the time in which canary and champion score a user's prompt, to compare their quality; 0: never",
    )
    keep_days: int = Field(14, ge=2, le=3650, description="retention period of the outcomes, in days; a canary must be decided before")


class TelemetrySettings(Settings):
    """Section `serve.telemetry` of a profile."""

    cost_per_second: float = Field(
        0.0001, ge=0, description="cost of one second of generation, in your currency; the default is 0.36 per hour"
    )
    session_gap_seconds: float = Field(1800, gt=0, le=86_400, description="seconds without a request that end the session of a user")
    users: int = Field(
        100_000, ge=1, le=10_000_000, description="users that are remembered for a day, 300 bytes each; then the least recent are forgotten"
    )
    audit: bool = Field(True, description="write an audit log: one line per interaction, without texts")
    audit_queue: int = Field(10_000, ge=1, le=1_000_000, description="no effect: lines are written before the answer and never wait")
    audit_megabytes: float = Field(
        4000,
        ge=1,
        le=10_000_000,
        description="limit of the audit folder, in MB; then the oldest refusals are removed, then other lines",
    )
    audit_refusal_seconds: float = Field(
        60, gt=0, le=3600, description="interval in which the refusals of a client with one code make at most two lines, in seconds"
    )
    audit_refusal_addresses: int = Field(
        100, ge=1, le=100_000, description="clients whose refusals are counted separately in an interval; the rest is counted as other"
    )
    audit_keep_days: int = Field(90, ge=1, le=3650, description="retention period of the audit files, in days")


# The keys of section `serve` that describe the connection to the model server; `robo_poet.model_server` reads them.
CONNECTION = {"model_server", "model_server_ca", "model_server_certificate", "model_server_key", "model_server_plain_http"}


class ServeSettings(Settings):
    """Section `serve` of a profile, which `python -m serving.gateway` also reads."""

    host: str = Field("127.0.0.1", min_length=1, description="IP address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    tls_certificate: str = Field(
        "", description="PEM file with the certificate chain; together with tls_key, it enables HTTPS (TLS 1.2 or later)"
    )
    tls_key: str = Field("", description="PEM file with the private key of the certificate")
    plain_http: bool = Field(False, description="allow listening on other than loopback addresses without TLS, behind a proxy with TLS")
    hsts_seconds: int = Field(31_536_000, ge=0, description="max-age of the header Strict-Transport-Security under TLS; 0: no header")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="networks of proxies whose X-Forwarded-For header is trusted; empty: the header is ignored"
    )
    trusted_keys: tuple[str, ...] = Field(
        (), description="public keys whose versions are served, or files of them; empty: ROBO_POET_TRUSTED_KEYS, or those of the user"
    )
    model_server: str = Field("http://127.0.0.1:8501", pattern=r"^https?://[^/\s@]+$", description="REST address of the model server")
    model_server_ca: str = Field(
        "", description="PEM file with the authorities that may sign the model server's certificate; empty: those of the system"
    )
    model_server_certificate: str = Field(
        "", description="PEM file with the gateway's own certificate, for a model server that verifies its clients"
    )
    model_server_key: str = Field("", description="PEM file with the private key of that certificate")
    model_server_plain_http: bool = Field(
        False, description="allow a model server on another machine without TLS, in a network that encrypts the connection"
    )
    model: str = Field(
        "shakespeare", pattern=r"^[a-z0-9_-]{1,63}$", description="name of the model, in the registry and on the model server"
    )
    signature: Literal["generate_xla", "generate"] = Field(
        "generate_xla", description="generate_xla is faster; use generate if the model server must not compile with XLA"
    )
    registry: FolderOrBucket = Field("registry", min_length=1, description="the registry: a folder, or gs://bucket/prefix")
    folder: LocalFolder = Field(".serve", min_length=1, description="folder for keys and logs; replicas share it")
    look_seconds: float = Field(2, gt=0, le=600, description="seconds between two checks of registry and model server")
    deadline_seconds: float = Field(30, gt=0, le=600, description="time limit of a request, in seconds; then 504 (SERVE-2)")
    connections: int = Field(
        1000, ge=1, le=100_000, description="largest number of open connections; then one without a good key gives way"
    )
    connections_per_address: int = Field(
        100,
        ge=1,
        le=100_000,
        description="largest number of open connections of an IP address (IPv6: of a /64 network); trusted proxies are exempt",
    )
    header_seconds: float = Field(10, gt=0, le=600, description="time limit for sending the request headers, in seconds; then 408")
    header_bytes: int = Field(64 * 1024, ge=4096, le=1024 * 1024, description="largest size of the request headers, in bytes; then 431")
    header_fields: int = Field(100, ge=20, le=1000, description="largest number of request headers; then 431")
    idle_seconds: float = Field(30, gt=0, le=600, description="time until an idle connection is closed after an answer, in seconds")
    send_seconds: float = Field(
        10, gt=0, le=600, description="time for which a client may not read its answer, in seconds; then it is cut off"
    )
    body_seconds: float = Field(10, gt=0, le=600, description="time limit for sending the request body, in seconds; then 408")
    body_bytes: int = Field(64 * 1024, ge=1024, le=16 * 1024 * 1024, description="largest request body, in bytes; a larger one gets 413")
    in_flight: int = Field(
        96, ge=1, le=100_000, description="largest number of concurrent requests; more get 503. 96 are three full batches: 1 s on 2 cores"
    )
    in_flight_per_user: int = Field(16, ge=1, le=100_000, description="largest number of concurrent requests of one user; more get 429")
    model_rows: int = Field(
        64,
        ge=5,
        le=100_000,
        description="largest number of samples at the model server; more requests wait. 64 is one running batch and one that fills",
    )
    feedback_days: int = Field(30, ge=1, le=3650, description="days for which a completion can be rated")
    metrics_for: Literal["loopback", "scope", "all"] = Field(
        "loopback", description="access to /metrics: loopback (this machine, and keys with the scope metrics), scope (only these keys), all"
    )
    playground: bool = Field(True, description="serve the web page at /")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    access: AccessSettings = AccessSettings()
    content_filter: ContentFilterSettings = ContentFilterSettings()
    request_log: RequestLogSettings = RequestLogSettings()
    outcomes: OutcomeSettings = OutcomeSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            ip_network(value)
        return values

    @model_validator(mode="after")
    def _check_tls(self) -> "ServeSettings":
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key must be given together")
        return self
