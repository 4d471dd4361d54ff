"""The record of one interaction that the audit log accepts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and its result. The log holds keyed digests of `user`, `prompt` and `completions`, never the values.

    Attributes:
        route: `generate`, `feedback` …
        status: HTTP status.
        milliseconds: duration of the request.
        user: the user; empty if not authenticated (401).
        credential: public id of the key or token.
        code: code of the refusal; empty after a success.
        completion_id: id of the completion, or of the completion that feedback is about.
        version: number of the model version, or None.
        arm: arm of the deployment, such as `champion` or `canary`.
        rule: rule of the content filter that refused the text.
        parameters: generation parameters; never text of a user.
        prompt_tokens, tokens: tokens of the prompt and of all completions.
    """

    request_id: str
    route: str
    status: int
    milliseconds: float
    user: str = ""
    credential: str = ""
    code: str = ""
    completion_id: str = ""
    version: int | None = None
    arm: str = ""
    rule: str = ""
    parameters: Mapping[str, float | bool] = field(default_factory=dict)
    prompt_tokens: int = 0
    tokens: int = 0
    prompt: str | None = None
    completions: Sequence[str] = ()
