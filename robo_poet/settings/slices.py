"""Settings of the metrics by slice of the held-out documents (EVAL-5)."""

from typing import Literal

from pydantic import Field, field_validator

from robo_poet.settings.base import Settings

Column = Literal["source", "author", "genre", "period", "language", "length"]  # the same as robo_poet.evaluation.documents.SLICES


class SlicesSettings(Settings):
    """Section `slices` of a profile."""

    columns: tuple[Column, ...] = Field(
        ("source", "author", "genre", "period", "language", "length"), description="a slice is the documents of one value of a column"
    )
    crosses: tuple[tuple[Column, ...], ...] = Field((("author", "period"),), description="or of one value of each of several columns")
    max_values: int = Field(40, ge=1, le=1000, description="slices of a column or cross: those of the most documents")
    min_documents: int = Field(10, ge=1, description="a slice of fewer is shown, and has no verdict")
    min_works: int = Field(10, ge=5, description="of fewer works the intervals say how sure it is within these works, not of others")
    resamples: int = Field(2000, ge=200, le=100_000, description="of the bootstrap")

    @field_validator("columns")
    @classmethod
    def _each_once(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(columns)) < len(columns):
            raise ValueError("a column is there twice")
        return columns

    @field_validator("crosses")
    @classmethod
    def _of_several_columns(cls, crosses: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for cross in crosses:
            if len(cross) < 2 or len(set(cross)) < len(cross):
                raise ValueError(f"a cross is of two or more different columns, not {list(cross)}")
        if len({frozenset(cross) for cross in crosses}) < len(crosses):
            raise ValueError("a cross is there twice")
        return crosses
