"""A generation job: the cleaned prompt, the version, the sampling settings and the deadline."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling
from robo_poet.model.inputs import encode_text, with_context
from serving.gateway.backend.versions import AssignedVersion
from serving.gateway.http.refusals import RefusedField, unpaired_surrogate
from serving.gateway.schema import GenerateRequest
from serving.gateway.writing.characters import without_controls

MARKS = 30  # consecutive combining marks, as in Unicode's stream-safe format (UAX #15). Sorting them is quadratic: 0.5 s for 32,000.
_PLAIN = re.compile(r"[ -~\n\t]*")


def sanitised(text: str, field: str) -> str:
    """Clean a text from a client: line feeds end lines, control characters are removed (`without_controls`), characters are composed (NFC).

    Raises:
        RefusedField: 422 for an unpaired surrogate, or for more than `MARKS` consecutive combining marks.
    """
    if _PLAIN.fullmatch(text):
        return text
    text = without_controls(text.replace("\r\n", "\n").replace("\r", "\n"))  # before counting: control characters could separate the marks
    marks = 0
    for character in text:
        if "\ud800" <= character <= "\udfff":
            raise unpaired_surrogate(field)
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > MARKS:
            message = f"more than {MARKS} consecutive combining marks; remove some of them"
            raise RefusedField(field, message, code="invalid_text")
    return unicodedata.normalize("NFC", text)


_ATTEMPT_OFFSET = 2**54  # seed offset between attempts: larger than any seed of a client, so no attempt repeats the noise of another


@dataclass
class GenerationJob:
    """A generation request for one version of the model.

    Attributes:
        prompt: token ids that the model reads, starting with `<START>`.
        prompt_tokens: number of tokens of `text`; a short text has more context in `prompt`.
        until: deadline as a value of `time.monotonic`.
        generation_seconds: time spent in model server calls so far, in seconds.
    """

    chosen: AssignedVersion
    text: str
    prompt: Sequence[int]
    prompt_tokens: int
    sampling: Sampling
    samples: int
    seed: int
    until: float
    request_id: str
    user: str
    generation_seconds: float = field(default=0.0)

    def seed_of(self, sample: int, attempt: int) -> int:
        """Return the seed of an attempt at a sample. Both are counted from 0."""
        return self.seed + sample + attempt * _ATTEMPT_OFFSET


def sampling_of(asked: GenerateRequest, restricted: Sequence[str]) -> Sampling:
    """Return the sampling settings of a request. At least 10 tokens are generated, unless `max_length` is smaller (GEN-2).

    Args:
        restricted: texts that are never generated.

    Raises:
        RefusedField: 422 for a stop text that is empty after cleaning, or cannot be cleaned.
    """
    stops = [sanitised(text, f"stop_tokens.{number}") for number, text in zip(count(), asked.stop_tokens, strict=False)]
    for number, stop in enumerate(stops):
        if not stop:
            raise RefusedField(f"stop_tokens.{number}", "the text has only control or format characters; leave it out")
    return Sampling(
        max_new=asked.max_length, min_new=min(Sampling.min_new, asked.max_length), temperature=asked.temperature, top_k=asked.top_k,
        top_p=asked.top_p, repetition_penalty=asked.repetition_penalty, stop=tuple(stops), banned=tuple(restricted),
    )  # fmt: skip


def make_job(
    chosen: AssignedVersion, text: str, sampling: Sampling, samples: int, seed: int, *, until: float, request_id: str, user: str
) -> GenerationJob:  # fmt: skip
    """Return the job for a version. The tokenizer of this version encodes the text.

    Raises:
        RefusedField: 422 if the text is empty or too long.
    """
    try:
        ids = encode_text(chosen.served, text)
    except BadInput as error:
        raise RefusedField("text", f"{error.what}; {error.remedy}") from None
    prompt = with_context(chosen.served.tokenizer, ids)
    return GenerationJob(chosen, text, prompt, len(ids), sampling, samples, seed, until, request_id, user)
