"""Settings of the content filter (SERVE-4)."""

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from robo_poet.settings.base import Settings

Mode = Literal["off", "log", "refuse"]
Severity = Literal["mild", "strong", "severe"]
# Words that are common in plays. The classifier was trained on modern comments and would rate Shakespeare as toxic because of them.
OF_THE_STAGE = tuple(
    "ass asses bastard bastards bitch cock coward cowards damn dick die dumb fool fools "
    "hell hypocrite hypocrites idiot suck sucks whore whores".split()
)


class Sides(Settings):
    """Actions after a hit, for prompts and for completions. `log` passes the text and logs the rule."""

    prompt: Mode = "refuse"
    completion: Mode = "refuse"


class ModerationSettings(Settings):
    """An HTTP moderation service with the Perspective API, off by default. Perspective itself ends on 31 December 2026."""

    sides: Sides = Field(Sides(prompt="off", completion="off"), description="what a hit does; off: the service is never called")
    url: str = Field("https://commentanalyzer.googleapis.com/v1alpha1/comments:analyze", description="address of the `analyze` call")
    text_may_leave: bool = Field(
        False, description="readers' texts may be sent to another machine; without it only a loopback address is taken"
    )
    key_environment: str = Field("ROBO_POET_MODERATION_KEY", description="environment variable that holds the key")
    key_file: str | None = Field(None, description="file that holds the key, instead of the variable")
    attributes: dict[str, float] = Field(
        {"TOXICITY": 0.9, "SEVERE_TOXICITY": 0.8}, min_length=1, description="attribute → score from which it is a hit"
    )
    languages: tuple[str, ...] = Field(("en",), description="languages told to the service; empty: it finds out")
    timeout_seconds: float = Field(2.0, gt=0, le=30, description="for the whole call")
    on_failure: Literal["refuse", "allow"] = Field("refuse", description="what happens to a text on which the service gave no verdict")

    @field_validator("attributes")
    @classmethod
    def _shares(cls, attributes: dict[str, float]) -> dict[str, float]:
        for name, threshold in attributes.items():
            if not 0 < threshold <= 1:
                raise ValueError(f"{name}: {threshold} is no score; give more than 0 and at most 1")
        return attributes

    @model_validator(mode="after")
    def _stays_here(self) -> "ModerationSettings":
        address = urlsplit(self.url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"url: {self.url!r} is no http or https address")
        if address.query or address.username or address.password or address.fragment:
            raise ValueError("url: give the key through key_environment or key_file; an address is written to logs")
        if not self.on_loopback and address.scheme != "https":
            raise ValueError("url: texts and the key leave the machine by https only")
        if self.called and not self.on_loopback and not self.text_may_leave:
            raise ValueError("text_may_leave is false: set it to true to send readers' texts to another machine")
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

    rules: Sides = Field(Sides(), description="patterns: personal data, keys, markup, floods of one phrase")
    rules_off: tuple[str, ...] = Field((), description="names of rules that are left out, such as email_address")
    words: Sides = Field(Sides(), description="the word list, however a word is dressed up")
    words_from: Severity = Field("strong", description="least severity that counts; mild takes in what Shakespeare wrote")
    words_allowed: tuple[str, ...] = Field((), description="words of the list that pass all the same")
    words_added: tuple[str, ...] = Field((), description="more words, of severity severe; `word*` takes in its endings")
    toxicity: Sides = Field(Sides(), description="the classifier")
    toxicity_threshold: float = Field(0.99, gt=0, le=1, description="probability from which any 8 words of a text are a hit")
    toxicity_ignores: tuple[str, ...] = Field(OF_THE_STAGE, description="words that the classifier does not see")
    restricted: Literal["off", "log", "refuse"] = Field("refuse", description="completions that hold a text which is never generated")
    restricted_texts: tuple[str, ...] = Field(
        (), max_length=200, description="more such texts; the model has no token for what holds one of them"
    )
    moderation: ModerationSettings = Field(ModerationSettings(), description="an HTTP service, off by default")
    attempts: int = Field(3, ge=1, le=10, description="completions drawn before a request is refused for what came out")

    @field_validator("restricted_texts")
    @classmethod
    def _texts(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if not 3 <= len(text.strip()) <= 100:  # two letters occur in half of all tokens
                raise ValueError(f"{text!r}: give 3 to 100 characters")
        return texts
