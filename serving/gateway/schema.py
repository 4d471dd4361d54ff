"""Request and response models of the API (SERVE-2). The OpenAPI description is generated from them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from robo_poet.model.completion import MAX_LENGTH, MAX_TOP_K

TEXT = 10_000  # characters; no ordinary text of 510 tokens, the longest prompt, is longer
STOPS, STOP = 8, 32
SAMPLES = 5
SEED = 2**53 - 1  # the largest integer that a JavaScript number holds exactly


def _to_int(value: Any) -> Any:
    """Convert a float without a fraction to int. JSON has one number type, so 100.0 is 100."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Int = Annotated[int, BeforeValidator(_to_int)]
# The bounds are inside the type: around a union they would be missing in the JSON schema.
Seed = Annotated[int, Field(ge=0, le=SEED), BeforeValidator(_to_int)]
Rating = Annotated[int, Field(ge=1, le=5), BeforeValidator(_to_int)]


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
        description="Text to continue, 1 to 510 tokens. It is normalized to NFC and LF; control and format characters are removed.",
    )  # fmt: skip
    max_length: Int = Field(
        100, ge=1, le=MAX_LENGTH,
        description="Maximum number of generated tokens. Prompt and completion together have at most 512; see finish reason `context`.",
    )  # fmt: skip
    temperature: float = Field(0.8, ge=0.1, le=2, description="Sampling temperature: lower values give more predictable text.")
    top_p: float = Field(0.9, ge=0.1, le=1, description="Sample from the most likely tokens whose probabilities sum to this value.")
    top_k: Int = Field(50, ge=1, le=MAX_TOP_K, description="Sample from this many of the most likely tokens; 1 is greedy decoding.")
    num_samples: Int = Field(1, ge=1, le=SAMPLES, description="Number of completions.")
    stop_tokens: list[Annotated[str, Field(min_length=1, max_length=STOP)]] = Field(
        [], max_length=STOPS, description="Stop sequences. They end a completion after at least 10 tokens and are part of it."
    )
    repetition_penalty: float = Field(1, ge=1, le=1.2, description="Penalty for tokens that already occurred; 1 is no penalty.")
    seed: Seed | None = Field(
        None, description="Seed of the sampling; sample i uses seed + i. Without it, a random seed is used and returned."
    )
    stream: bool = Field(False, description="Respond with server-sent events (text/event-stream): `text` events, then `done` or `error`.")
    token_probabilities: bool = Field(False, description="Also return the probability of each token.")


class Token(BaseModel):
    """A piece of the text that consists of complete characters."""

    text: str
    probability: float = Field(
        ge=0, le=1, description="Under the model's unmodified distribution; for several tokens that share a character, the product."
    )


class Metadata(BaseModel):
    """Metadata of the completions."""

    model_version: str = Field(description="Registry version of the model, such as `3`.")
    generation_time_ms: int = Field(ge=0, description="Time in model server calls, in milliseconds, rounded.")
    tokens_generated: int = Field(ge=0, description="Number of generated tokens in all samples.")
    perplexity: float | None = Field(
        description="exp of the mean negative log-likelihood per token under the model's unmodified distribution. "
        "It is null if there are no tokens."
    )
    arm: str = Field(description="`champion`, `canary`, or `former`: the former champion, which keeps some users after a promotion.")
    prompt_tokens: int = Field(ge=0, description="Number of tokens in the prompt.")
    seed: int = Field(description="Seed that reproduces the samples on the same version.")
    finish_reasons: list[Literal["length", "end", "stop", "context", "refused"]] = Field(
        description="For each sample: max_length reached, end of the text, stop sequence, limit of 512 tokens reached, content filter."
    )


class GenerateAnswer(BaseModel):
    """The completions, without the prompt. A sample that the content filter refused is empty."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "status": "success", "generated_text": [" a summer's day?\nThou art more lovely"], "id": "AAAAAGkk…",
        "metadata": {"model_version": "3", "generation_time_ms": 43, "tokens_generated": 11, "perplexity": 21.4, "arm": "champion",
                     "prompt_tokens": 7, "seed": 7, "finish_reasons": ["end"]},
        "request_id": "5f0c3d1e9a7b4c2d",
    }]})  # fmt: skip

    status: Literal["success"]
    generated_text: list[str]
    metadata: Metadata
    id: str = Field(description="Completion id, for /v1/feedback.")
    token_probabilities: list[list[Token]] | None = Field(None, description="For each sample, if requested; not in `done` of a stream.")
    request_id: str


class FeedbackRequest(_Body):
    """A user's rating of a completion. It can be sent again: the last rating counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"completion_id": "AAAAAGkk…", "thumb": "up"}, {"completion_id": "AAAAAGkk…", "rating": 4}],
            "anyOf": [{"required": ["rating"]}, {"required": ["thumb"]}],
        }
    )

    completion_id: str = Field(min_length=1, max_length=200, description="The `id` of a response.")
    rating: Rating | SkipJsonSchema[None] = Field(default_factory=lambda: None, description="1 (bad) to 5 (good).")
    thumb: Literal["up", "down"] | SkipJsonSchema[None] = Field(default_factory=lambda: None, description="Thumb up or down.")

    @field_validator("rating", "thumb")
    @classmethod
    def _not_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("null is not allowed; leave the field out")
        return value

    @model_validator(mode="after")
    def _has_rating(self) -> "FeedbackRequest":
        if self.rating is None and self.thumb is None:
            raise ValueError("rating (1 to 5) or thumb (up or down) is required")
        return self


class FeedbackAnswer(BaseModel):
    """The rating was recorded."""

    status: Literal["success"]
    request_id: str


class Error(BaseModel):
    """The error, and how to fix it."""

    code: str = Field(description="Stable error code for programs.")
    message: str = Field(description="Error message for users.")
    field: str | None = Field(None, description="Invalid field of the body, if the error is about one.")


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
    champion: int | None = Field(description="Version of the champion.")
    canary: int | None = Field(description="Version of the canary.")
    canary_share: float = Field(
        ge=0,
        le=1,
        description="Share of the users that the canary serves, from the registry; 0 without a canary and before its first step.",
    )
    degraded: list[str] = Field(description="Current problems, for an operator.")
