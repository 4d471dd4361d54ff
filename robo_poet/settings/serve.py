"""Settings of the gateway (SERVE-1 to SERVE-4)."""

from ipaddress import ip_network
from typing import Literal

from pydantic import Field, field_validator, model_validator

from robo_poet.settings.access import AccessSettings
from robo_poet.settings.base import Settings
from robo_poet.settings.content_filter import ContentFilterSettings
from robo_poet.settings.request_log import RequestLogSettings
from robo_poet.settings.telemetry import TelemetrySettings


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
