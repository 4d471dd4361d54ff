"""A generation job: the checked text, the version, the settings and the deadline."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling
from robo_poet.model.inputs import encode_prompt
from serving.gateway.backend.versions import Chosen
from serving.gateway.http.refusals import RefusedField, half_pair
from serving.gateway.schema import GenerateRequest

MARKS = 30  # combining marks in a row: Unicode's stream-safe form (UAX #15). Sorting more is quadratic: 0.5 s for 32,000 of them.
_PLAIN = re.compile(r"[ -~\n\t]*")


def without_controls(text: str) -> str:
    """`text` without control and format characters: U+0000–U+001F but line feed and tab, U+007F–U+009F, zero-width, bidirectional, tags.

    They steer terminals, hide words from a filter and turn lines around; in verse none is missed.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(character for character in text if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf"))


def sanitised(text: str, field: str) -> str:
    """What a reader gave, as the model shall read it: lines end in LF, controls are gone, characters are composed (NFC).

    Raises:
        Refused: half a surrogate pair, or a heap of combining marks; 422 with the field.
    """
    if _PLAIN.fullmatch(text):
        return text
    text = without_controls(text.replace("\r\n", "\n").replace("\r", "\n"))  # first: they could stand between the marks that are counted
    marks = 0
    for character in text:
        if "\ud800" <= character <= "\udfff":
            raise half_pair(field)
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > MARKS:
            told = f"more than {MARKS} combining marks on one character; leave some out"
            raise RefusedField(field, told, code="invalid_text")
    return unicodedata.normalize("NFC", text)


_AGAIN = 2**54  # apart from one try to the next: above all seeds a reader can give, so that no try repeats another's noise


@dataclass
class Job:
    """A request, ready for a model.

    Attributes:
        prompt: ids, `<START>` first.
        until: `time.monotonic` of its deadline.
        generation_seconds: what the model server took so far.
    """

    chosen: Chosen
    text: str
    prompt: Sequence[int]
    sampling: Sampling
    samples: int
    seed: int
    until: float
    request_id: str
    generation_seconds: float = field(default=0.0)

    def seed_of(self, sample: int, attempt: int) -> int:
        """The seed of a try, from 0, at a sample, from 0."""
        return self.seed + sample + attempt * _AGAIN


def sampling_of(asked: GenerateRequest, restricted: Sequence[str]) -> Sampling:
    """How to write. A text of 10 tokens at least, unless fewer are asked for (GEN-2).

    Raises:
        Refused: 422, a stop text that is no text.
    """
    stops = [sanitised(text, f"stop_tokens.{number}") for number, text in zip(count(), asked.stop_tokens, strict=False)]
    for number, stop in enumerate(stops):
        if not stop:
            raise RefusedField(f"stop_tokens.{number}", "nothing is left of it without control characters; leave it out")
    return Sampling(
        max_new=asked.max_length, min_new=min(Sampling.min_new, asked.max_length), temperature=asked.temperature, top_k=asked.top_k,
        top_p=asked.top_p, repetition_penalty=asked.repetition_penalty, stop=tuple(stops), banned=tuple(restricted),
    )  # fmt: skip


def make_job(
    chosen: Chosen, text: str, sampling: Sampling, samples: int, seed: int, *, until: float, request_id: str
) -> Job:  # fmt: skip
    """The job for a version, whose own tokenizer reads the text.

    Raises:
        Refused: 422, the text is too short or too long.
    """
    try:
        prompt = encode_prompt(chosen.served, text)
    except BadInput as error:
        raise RefusedField("text", f"{error.what}; {error.remedy}") from None
    return Job(chosen, text, prompt, sampling, samples, seed, until, request_id)
