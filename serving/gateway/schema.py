"""Request and response models of the API (SERVE-2). The OpenAPI description is generated from them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from robo_poet.model.completion import MAX_LENGTH, MAX_TOP_K

TEXT = 10_000  # characters; no ordinary text of 510 tokens, the longest prompt, is longer
STOPS, STOP = 8, 32
SAMPLES = 5
SEED = 2**53 - 1  # the largest integer that a JavaScript number holds exactly


def _whole(value: Any) -> Any:
    """Convert a float without a fraction to int. JSON has one number type, so 100.0 is 100."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Int = Annotated[int, BeforeValidator(_whole)]
# The bounds are inside the type: around a union they would be missing in the JSON schema.
Seed = Annotated[int, Field(ge=0, le=SEED), BeforeValidator(_whole)]
Rating = Annotated[int, Field(ge=1, le=5), BeforeValidator(_whole)]


class _Body(BaseModel):
    # Strict: "100" is not a number and true is not 1. Unknown fields are errors: ignoring them would hide a client's mistake.
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class GenerateRequest(_Body):
    """A text to continue, with the settings for generation."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"text": "Shall I compare thee to"},
        {"text": "O gentle night, ", "max_length": 60, "temperature": 0.7, "num_samples": 2, "stop_tokens": ["\n\n"], "seed": 7},
    ]})  # fmt: skip

    text: str = Field(
        min_length=1, max_length=TEXT,
        description="How the text begins, 3 to 510 tokens. Brought to NFC and LF; control and format characters are taken out.",
    )  # fmt: skip
    max_length: Int = Field(
        100, ge=1, le=MAX_LENGTH,
        description="Tokens to write at most. Prompt and completion together end at 512 tokens: then a finish reason is `context`.",
    )  # fmt: skip
    temperature: float = Field(0.8, ge=0.1, le=2, description="Of the draw: lower is plainer, higher is wilder.")
    top_p: float = Field(0.9, ge=0.1, le=1, description="Draw from the likeliest tokens that hold this mass together.")
    top_k: Int = Field(50, ge=1, le=MAX_TOP_K, description="Draw from so many of the likeliest tokens; 1 is greedy.")
    num_samples: Int = Field(1, ge=1, le=SAMPLES, description="Completions of the same text.")
    stop_tokens: list[Annotated[str, Field(min_length=1, max_length=STOP)]] = Field(
        [], max_length=STOPS, description="Texts after which writing ends, once 10 tokens are written; the text itself stays."
    )
    repetition_penalty: float = Field(1, ge=1, le=1.2, description="How much less likely a token is that was seen before; 1 is off.")
    seed: Seed | None = Field(
        None, description="The same seed writes the same text; sample i is written with seed + i. Left out: drawn, and told."
    )
    stream: bool = Field(
        False, description="Answer by server-sent events (text/event-stream): `text` as it is written, then `done`, or `error`."
    )
    token_probabilities: bool = Field(False, description="Also say how likely each token was.")


class Token(BaseModel):
    """A piece of the text that consists of complete characters."""

    text: str
    probability: float = Field(
        ge=0, le=1, description="Under the model's unmodified distribution; of several tokens that share a character, their product."
    )


class Metadata(BaseModel):
    """Metadata of the completions."""

    model_version: int = Field(description="Version of the registry that wrote.")
    generation_time_ms: float = Field(ge=0, description="Time of the model server, in milliseconds.")
    tokens_generated: int = Field(ge=0, description="Of all samples together.")
    perplexity: float | None = Field(
        description="exp of the tokens' mean negative log-likelihood, unmodified; null if no token was written."
    )
    arm: str = Field(description="`champion` or `canary`.")
    prompt_tokens: int = Field(ge=0)
    seed: int = Field(description="Writes this again, on the same version.")
    finish_reasons: list[Literal["length", "end", "stop", "context", "refused"]] = Field(
        description="Of each sample: the length asked for, the text's own end, a stop text, 512 tokens in all, the content filter."
    )


class GenerateAnswer(BaseModel):
    """The completions, without the prompt. A sample that the content filter refused is empty."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "status": "success", "generated_text": [" a summer's day?\nThou art more lovely"], "id": "AAAAAGkk…",
        "metadata": {"model_version": 3, "generation_time_ms": 43.1, "tokens_generated": 11, "perplexity": 21.4, "arm": "champion",
                     "prompt_tokens": 7, "seed": 7, "finish_reasons": ["end"]},
        "request_id": "5f0c3d1e9a7b4c2d",
    }]})  # fmt: skip

    status: Literal["success"]
    generated_text: list[str]
    metadata: Metadata
    id: str = Field(description="Of this answer, for /v1/feedback.")
    token_probabilities: list[list[Token]] | None = Field(None, description="Of each sample, if asked for; not in a stream's `done`.")
    request_id: str


class FeedbackRequest(_Body):
    """A user's rating of a completion. It can be sent again: the last rating counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"completion_id": "AAAAAGkk…", "thumb": "up"}, {"completion_id": "AAAAAGkk…", "rating": 4}],
            "anyOf": [{"required": ["rating"]}, {"required": ["thumb"]}],
        }
    )

    completion_id: str = Field(min_length=1, max_length=200, description="The `id` of an answer.")
    rating: Rating | SkipJsonSchema[None] = Field(default_factory=lambda: None, description="1, bad, to 5, good.")
    thumb: Literal["up", "down"] | SkipJsonSchema[None] = Field(default_factory=lambda: None, description="Up or down.")

    @field_validator("rating", "thumb")
    @classmethod
    def _given(cls, value: object) -> object:
        if value is None:
            raise ValueError("null is no opinion; leave it out")
        return value

    @model_validator(mode="after")
    def _something(self) -> "FeedbackRequest":
        if self.rating is None and self.thumb is None:
            raise ValueError("give rating, 1 to 5, or thumb, up or down")
        return self


class FeedbackAnswer(BaseModel):
    """The rating was recorded."""

    status: Literal["success"]
    request_id: str


class Error(BaseModel):
    """The error, and how to fix it."""

    code: str = Field(description="A word for programs; it does not change.")
    message: str = Field(description="A sentence for people.")
    field: str | None = Field(None, description="The field of the body that is meant, if it is one.")


class ErrorAnswer(BaseModel):
    """The form of every error."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "status": "error", "error": {"code": "invalid_field", "message": "top_k: input should be at most 100", "field": "top_k"},
        "request_id": "5f0c3d1e9a7b4c2d",
    }]})  # fmt: skip

    status: Literal["error"]
    error: Error
    request_id: str


class HealthAnswer(BaseModel):
    """The process is running."""

    status: Literal["alive"]


class ReadyAnswer(BaseModel):
    """Whether requests can be answered, and the current problems."""

    status: Literal["ready", "not_ready"]
    champion: int | None = Field(description="Version that answers.")
    canary: int | None = Field(description="Version that is tried beside it.")
    canary_share: float = Field(
        ge=0, le=1, description="Share of the users whom the canary answers; 0 without one, or where `serve.canary_share` is 0."
    )
    degraded: list[str] = Field(description="What is not as it should be, for an operator.")
