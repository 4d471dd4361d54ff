"""Settings of the content filter (SERVE-4)."""

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from robo_poet.settings.base import Settings

Mode = Literal["off", "log", "refuse"]
Severity = Literal["mild", "strong", "severe"]
# Words that are common in plays. The classifier was trained on modern comments and would rate Shakespeare as toxic because of them.
STAGE_WORDS = tuple(
    "ass asses bastard bastards bitch cock coward cowards damn dick die dumb fool fools "
    "hell hypocrite hypocrites idiot suck sucks whore whores".split()
)


TOXICITY_THRESHOLD = 0.99  # smallest probability of a hit


class Sides(Settings):
    """Actions after a hit, for prompts and for completions. `log` passes the text and logs the rule."""

    prompt: Mode = "refuse"
    completion: Mode = "refuse"


class AddedRule(Settings):
    """A rule of an operator."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="name, part of the rule in logs and metrics, such as project_names")
    pattern: str = Field(min_length=1, max_length=1000, description="regular expression that is searched without regard to case")
    sides: tuple[Literal["prompt", "completion"], ...] = Field(
        ("prompt", "completion"), min_length=1, description="texts that are checked: prompt, completion or both"
    )
    category: str = Field("own", pattern=r"^[a-z][a-z0-9_]{0,39}$", description="kind of text, for logs")


class ModerationSettings(Settings):
    """An HTTP moderation service with the Perspective API, off by default. Perspective itself ends on 31 December 2026."""

    sides: Sides = Field(
        Sides(prompt="off", completion="off"), description="action after a hit, for prompts and completions; off: the service is not called"
    )
    url: str = Field("https://commentanalyzer.googleapis.com/v1alpha1/comments:analyze", description="address of the `analyze` call")
    text_may_leave: bool = Field(
        False, description="allow sending users' texts to another machine; if false, only a loopback address is accepted"
    )
    key_environment: str = Field("ROBO_POET_MODERATION_KEY", description="environment variable with the API key")
    key_file: str | None = Field(None, description="file with the API key, instead of the variable")
    attributes: dict[str, float] = Field(
        {"TOXICITY": 0.9, "SEVERE_TOXICITY": 0.8}, min_length=1, description="attribute → smallest score (0 to 1) that is a hit"
    )
    languages: tuple[str, ...] = Field(("en",), description="languages sent with each call; empty: the service detects the language")
    timeout_seconds: float = Field(2.0, gt=0, le=30, description="time limit of a call, in seconds")
    on_failure: Literal["refuse", "allow"] = Field("refuse", description="action if the service fails or exceeds the time limit")

    @field_validator("attributes")
    @classmethod
    def _check_scores(cls, attributes: dict[str, float]) -> dict[str, float]:
        for name, threshold in attributes.items():
            if not 0 < threshold <= 1:
                raise ValueError(f"{name}: {threshold} is out of range; give a score of more than 0 and at most 1")
        return attributes

    @model_validator(mode="after")
    def _check_address(self) -> "ModerationSettings":
        address = urlsplit(self.url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"url: {self.url!r} is not an http or https address")
        if address.query or address.username or address.password or address.fragment:
            raise ValueError("url: the address is written to logs; give the key through key_environment or key_file")
        if not self.on_loopback and address.scheme != "https":
            raise ValueError("url: use https; texts and the key are not sent to another machine without encryption")
        if self.called and not self.on_loopback and not self.text_may_leave:
            raise ValueError("text_may_leave is false; set it to true to allow sending users' texts to another machine")
        return self

    @property
    def called(self) -> bool:
        """True if the service is called for prompts, completions or both."""
        return (self.sides.prompt, self.sides.completion) != ("off", "off")

    @property
    def on_loopback(self) -> bool:
        """True if the address is a loopback address."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


class ContentFilterSettings(Settings):
    """Section `serve.content_filter` of a profile."""

    rules: Sides = Field(Sides(), description="action after a match of a pattern: personal data, API keys, markup, repeated phrases")
    rules_off: tuple[str, ...] = Field((), description="names of rules that are not applied, such as email_address")
    rules_added: tuple[AddedRule, ...] = Field(
        (),
        max_length=32,
        description="additional rules, each with name, pattern (a regular expression; case is ignored) and optional sides and category",
    )
    words: Sides = Field(Sides(), description="action after a match of the word list, which also finds obfuscated spellings")
    words_from: Severity = Field("strong", description="lowest severity that counts; mild also blocks words of Shakespeare")
    words_allowed: tuple[str, ...] = Field((), description="words of the list that are allowed")
    words_added: tuple[str, ...] = Field((), description="additional words, with severity severe; `word*` also matches its endings")
    toxicity: Sides = Field(Sides(), description="action after a hit of the toxicity classifier")
    toxicity_threshold: float = Field(
        TOXICITY_THRESHOLD, gt=0, le=1, description="a text is a hit if the probability for any 8 consecutive words reaches this value"
    )
    toxicity_ignores: tuple[str, ...] = Field(STAGE_WORDS, description="words that are removed before classification")
    restricted: Mode = Field("refuse", description="action if a completion contains a restricted text")
    restricted_texts: tuple[str, ...] = Field(
        (), max_length=200, description="additional restricted texts, 3 to 100 characters each; tokens that contain one are never generated"
    )
    moderation: ModerationSettings = Field(ModerationSettings(), description="HTTP moderation service, off by default")
    attempts: int = Field(3, ge=1, le=10, description="completions to sample before a request is refused because of its completions")

    @field_validator("restricted_texts")
    @classmethod
    def _check_lengths(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if not 3 <= len(text.strip()) <= 100:  # two letters occur in half of all tokens
                raise ValueError(f"{text!r}: give 3 to 100 characters")
        return texts
