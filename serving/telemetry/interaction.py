"""One interaction, as the audit log takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Interaction:
    """What someone asked and what became of it. `user`, `prompt` and `completions` never reach the log: their keyed digests do.

    Attributes:
        route: `generate`, `feedback` …
        status: HTTP's.
        user: who; empty where nobody was known (401).
        credential: public id of the key or token.
        code: the refusal's, empty of a success.
        completion_id: id of the completion, also of the one that feedback is about.
        rule: of the content filter, where it refused.
        parameters: numbers and words of our own; never text of a reader.
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
