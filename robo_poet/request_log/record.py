"""Records that the request log accepts: requests with answers, feedback, and scores of prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

BY_TOKEN = "token"  # the consent of a JSON Web Token; that of an API key is the pseudonym of the key


@dataclass(frozen=True, slots=True)
class Request:
    """A request with its answer. The texts are unscrubbed here; the writer process scrubs them before it writes them.

    Attributes:
        completion_id: id that feedback refers to. Sampling depends on it.
        time: arrival of the request, in seconds since 1970.
        user: a pseudonym, never a name.
        model: name of the model.
        digest: digest of the version's manifest.
        arm: champion, canary, pinned …
        prompt: None if no text of the request may be written, because one contains a card number, an account number or a secret.
        parameters: numeric sampling parameters, such as temperature and top_p.
        seconds: duration of the request.
        generation_seconds: share of `seconds` that the model server took.
        tokens: number of tokens of each completion.
        completion_perplexities: perplexity of each completion under the unmodified probabilities; None if it is unknown.
        finish_reasons: finish reason of each completion.
        status: HTTP status.
        code: error code of a rejected request, otherwise empty.
        filter_rule: content filter rule that rejected the request, otherwise empty.
        filter_side: text that the rule matched, `prompt` or `completion`, otherwise empty.
        client: kind of client, `key`, `token` or `application`; empty if it is not known.
        consent: the pseudonym of the API key that consents to train on the prompt, or BY_TOKEN; empty without a consent.
    """

    completion_id: str
    request_id: str
    time: float
    user: str
    model: str
    version: int
    digest: str
    arm: str
    prompt: str | None
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
    client: str = ""
    consent: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """Feedback of a user on a completion.

    Attributes:
        user: a pseudonym. Only the last rating and the last thumb of a user count.
        rating: 1 to 5.
        thumb: `up` or `down`.
    """

    completion_id: str
    time: float
    user: str
    rating: int | None = None
    thumb: str | None = None


class Score(NamedTuple):
    """Score of a prompt: the sum of the cross-entropy of its tokens in nats, and the number of tokens."""

    nats: float
    tokens: int
