"""Settings of the corpus checks before training (DATA-1, DATA-2)."""

from typing import Literal

from pydantic import Field

from robo_poet.settings.base import Settings

Outside = Literal["ignore", "warn", "fail"]


class ValidateSettings(Settings):
    """Section `validation` of a profile. Each limit has an `on_…` setting: the action if the corpus is outside the limit."""

    min_megabytes: float = Field(1.0, ge=0, description="recommended smallest size")
    on_size: Outside = "warn"
    min_type_token_ratio: float = Field(0.05, ge=0, le=1, description="on seeded samples of 1 MB")
    max_type_token_ratio: float = Field(0.15, ge=0, le=1)
    on_type_token_ratio: Outside = "warn"
    min_sentence_tokens: float = Field(15, ge=0, description="mean sentence length, in words")
    max_sentence_tokens: float = Field(25, ge=0)
    on_sentence_length: Outside = "warn"
    max_duplicate_share: float = Field(0.1, ge=0, le=1, description="share of documents that repeat another's text")
    on_duplicates: Outside = "warn"
    max_encoding_error_share: float = Field(0.001, ge=0, le=1, description="share of characters that are U+FFFD or controls")
    on_encoding_errors: Outside = "fail"
    languages: list[str] = Field(["en"], description="expected languages (ISO 639-1)")
    min_language_share: float = Field(0.9, ge=0, le=1, description="share of documents in an expected language")
    on_language: Outside = "warn"
    on_anomalies: Outside = Field("fail", description="TFDV schema anomalies")
    max_split_divergence: float = Field(0.3, ge=0, le=1, description="Jensen-Shannon divergence of document length, train to test")
    on_skew: Outside = "warn"
