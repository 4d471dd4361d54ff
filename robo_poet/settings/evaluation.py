"""Settings of the steps that measure a model: test split, text, slices, champion, bias and memorisation (EVAL-1 to EVAL-5, REG-3)."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from robo_poet.settings.base import MIN_SCORE, SPACY_MODEL, Settings
from robo_poet.settings.content_filter import STAGE_WORDS, TOXICITY_THRESHOLD
from robo_poet.settings.train import PlantedSecretsSettings


class EvaluateSettings(Settings):
    """Section `evaluate` of a profile."""

    batch: int = Field(32, ge=1, le=1024, description="rows per call of the exported model")
    continuations: int = Field(100, ge=1, le=10_000, description="number of held-out prompts that the model continues")
    prompt_tokens: int = Field(32, ge=3, le=256, description="length of each prompt, in tokens")
    continuation_tokens: int = Field(64, ge=10, le=480, description="length of each continuation, in tokens")
    temperature: float = Field(0.8, ge=0.1, le=2.0)
    top_k: int = Field(50, ge=0, le=100, description="0 is off")
    top_p: float = Field(0.9, ge=0.1, le=1.0, description="1.0 is off")
    edge_tokens: int = Field(4000, ge=1, le=1_000_000, description="number of held-out tokens on which the edge model is evaluated")

    @model_validator(mode="after")
    def _check_context(self) -> "EvaluateSettings":
        if self.prompt_tokens + self.continuation_tokens > 511:  # <START> is the 512th token
            raise ValueError("the sum of prompt_tokens and continuation_tokens is larger than 511, the context of the model")
        return self


class MeasureTextSettings(Settings):
    """Section `text` of a profile."""

    resamples: int = Field(1000, ge=100, le=100_000, description="bootstrap resamples for the confidence intervals of ratios")
    # With these values, fewer than 1 in 5,000 windows of 64 tokens of the bundled corpora are degenerate, all of them dots in tables.
    loop_repeats: int = Field(3, ge=2, le=100, description="a text is degenerate if it ends with at least so many repeats of a phrase …")
    loop_tokens: int = Field(12, ge=2, le=512, description="… that together have at least so many tokens")
    repetition_limit: float = Field(0.4, gt=0, lt=1, description="repetition rate above which a text is degenerate")
    spacy_model: str = Field(SPACY_MODEL, description="spaCy model that parses sentences")
    lsa_dimensions: int = Field(100, ge=2, le=1000, description="dimensions of the LSA space, which compares texts that are not English")
    topics: int = Field(20, ge=2, le=500, description="number of topics of the training text")
    shuffles: int = Field(8, ge=1, le=100, description="prompts of other works that each text is compared with, as a baseline")
    toxicity_threshold: float = Field(
        TOXICITY_THRESHOLD, gt=0, le=1, description="a text is toxic if the probability for any 8 consecutive words reaches this value"
    )
    toxicity_ignores: tuple[str, ...] = Field(STAGE_WORDS, description="words that are removed before classification")
    min_score: float = Field(MIN_SCORE, ge=0, le=1, description="smallest confidence of a match of personal data that counts")
    copied_tokens: int = Field(
        20, ge=2, le=512, description="a text is a copy if a verbatim match with the training text has so many tokens"
    )
    copied_words: int = Field(15, ge=2, le=512, description="the same in words, ignoring case and punctuation")


Column = Literal["source", "author", "genre", "period", "language", "length"]  # the same as robo_poet.evaluation.likelihood.SLICES


class SlicesSettings(Settings):
    """Section `slices` of a profile."""

    columns: tuple[Column, ...] = Field(
        ("source", "author", "genre", "period", "language", "length"),
        description="columns to slice by; a slice has the documents with one value of a column",
    )
    crosses: tuple[tuple[Column, ...], ...] = Field(
        (("author", "period"),), description="combinations of columns to slice by, such as one author in one period"
    )
    max_values: int = Field(
        40, ge=1, le=1000, description="largest number of slices per column or combination; those with the most documents are kept"
    )
    min_documents: int = Field(10, ge=1, description="a slice with fewer documents is shown without a verdict")
    min_works: int = Field(
        10, ge=5, description="with fewer works, the confidence intervals resample documents and hold only for these works"
    )
    resamples: int = Field(2000, ge=200, le=100_000, description="bootstrap resamples")

    @field_validator("columns")
    @classmethod
    def _check_columns(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(columns)) < len(columns):
            raise ValueError("a column is listed twice")
        return columns

    @field_validator("crosses")
    @classmethod
    def _check_crosses(cls, crosses: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for cross in crosses:
            if len(cross) < 2 or len(set(cross)) < len(cross):
                raise ValueError(f"a cross needs two or more different columns, not {list(cross)}")
        if len({frozenset(cross) for cross in crosses}) < len(crosses):
            raise ValueError("a cross is listed twice")
        return crosses


class CompareSettings(Settings):
    """Section `compare` of a profile."""

    batch: int = Field(32, ge=1, le=1024, description="rows per call of the champion")


class AuditSettings(Settings):
    """Section `audit` of a profile: counterfactual pairs, sampling, and the canary strings."""

    languages: tuple[Literal["en", "es"], ...] = Field(
        ("en", "es"), min_length=1, description="languages of the likelihood pairs; completions are only compared in English"
    )
    pairs: int = Field(200, ge=20, le=20_000, description="counterfactual pairs per axis and language; the suite may have fewer")
    prompts: int = Field(120, ge=15, le=20_000, description="pairs of prompts per axis that the model continues; 15 are 5 for 3 groups")
    completion_tokens: int = Field(24, ge=10, le=256, description="length of each completion, in tokens")
    temperature: float = Field(0.8, ge=0.1, le=2.0)
    top_k: int = Field(50, ge=0, le=100, description="0 is off")
    top_p: float = Field(0.9, ge=0.1, le=1.0, description="1.0 is off")
    batch: int = Field(64, ge=1, le=1024, description="rows per call of the exported model")
    width: int = Field(96, ge=16, le=256, description="largest length of a sentence, in tokens; longer sentences are left out")
    resamples: int = Field(2000, ge=200, le=100_000, description="bootstrap resamples of the templates")
    secrets: PlantedSecretsSettings = Field(PlantedSecretsSettings(), description="canary strings planted in the training text")
    candidates: int = Field(255, ge=31, le=100_000, description="number of other strings that each canary string is ranked among")
    attempts: int = Field(8, ge=0, le=1000, description="sampled completions per canary string, in addition to the greedy one")

    @model_validator(mode="after")
    def _check_languages(self) -> "AuditSettings":
        if len(set(self.languages)) != len(self.languages):
            raise ValueError("languages: a language is listed twice")
        return self
