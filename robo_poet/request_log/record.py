"""What the request log takes: a request with its answer, a reader's feedback, a prompt's likelihood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Request:
    """A request and what became of it. The texts are given as they are; they are scrubbed before they are written.

    Attributes:
        completion_id: what feedback refers to; decides whether the record is sampled.
        time: seconds since 1970, when the request came.
        user: a pseudonym, never a name.
        digest: of the version.
        arm: champion, canary, pinned …
        parameters: numbers only: temperature, top_p …
        seconds, generation_seconds: of the request, and of the model server in it.
        tokens: of each completion.
        completion_perplexities: of each completion, under the unmodified probabilities; None where it is not known.
        finish_reasons: of each completion.
        status: HTTP's; `code` is the refusal's.
        filter_rule, filter_side: which rule refused, on `prompt` or `completion`; empty where none did.
    """

    completion_id: str
    request_id: str
    time: float
    user: str
    version: int
    digest: str
    arm: str
    prompt: str
    completions: Sequence[str]
    parameters: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    generation_seconds: float = 0.0
    prompt_tokens: int = 0
    tokens: Sequence[int] = ()
    completion_perplexities: Sequence[float | None] = ()
    finish_reasons: Sequence[str] = ()
    status: int = 200
    code: str = ""
    filter_rule: str = ""
    filter_side: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader thinks of a completion.

    Attributes:
        user: a pseudonym; the last rating and the last thumb of a user count.
        rating: 1 to 5.
        thumb: `up` or `down`.
    """

    completion_id: str
    time: float
    user: str
    rating: int | None = None
    thumb: str | None = None


class Score(NamedTuple):
    """Likelihood of a prompt by `score`: the sum of its tokens' cross-entropy in nats, and how many tokens."""

    nats: float
    tokens: int
