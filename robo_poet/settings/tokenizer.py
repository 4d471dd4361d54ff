"""Settings of the tokenizer (DATA-5)."""

from typing import Literal

from pydantic import Field

from robo_poet.settings.base import Settings


class TokenizerSettings(Settings):
    """Section `tokenizer` of a profile."""

    vocabulary: int = Field(10_000, ge=260, le=10_000, description="tokens, the 4 control tokens and 256 bytes among them")
    min_coverage: float = Field(0.95, ge=0, le=1, description="share of held-out words that are one or two tokens")
    on_coverage: Literal["ignore", "warn", "fail"] = "warn"
