"""Sampling settings of a completion (GEN-1, GEN-2)."""

from dataclasses import dataclass

from robo_poet.errors import BadInput
from robo_poet.model.limits import MAX_BEAMS, MAX_LENGTH, MAX_TOP_K

RANGES = {
    "max_new": (1, MAX_LENGTH), "min_new": (0, MAX_LENGTH), "temperature": (0.1, 2.0), "top_k": (0, MAX_TOP_K), "top_p": (0.1, 1.0),
    "repetition_penalty": (1.0, 1.2), "beams": (1, MAX_BEAMS), "length_penalty": (0.6, 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Sampling:
    """Settings of one completion.

    Attributes:
        max_new, min_new: most and fewest tokens to generate.
        temperature: softmax temperature; lower is less random.
        top_k: sample from the k most likely tokens; 0 is off, 1 is greedy.
        top_p: sample from the most likely tokens that together hold this probability mass.
        repetition_penalty: factor that makes tokens of the text so far less likely; 1 is off.
        stop: texts after which generation stops; the stop text itself is kept.
        banned: tokens that contain one of these texts are never generated.
        beams: above 1, beam search: nothing is sampled, and temperature, top_k, top_p and the seed have no effect.
        length_penalty: of beam search; higher favours longer texts.

    Raises:
        BadInput: a value is out of range; names the field and the range.
    """

    max_new: int = 100
    min_new: int = 10
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 0.9
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()
    beams: int = 1
    length_penalty: float = 0.6

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:  # also rejects NaN
                raise BadInput(f"{value} is out of range", where=name, remedy=f"give a value from {low} to {high}")
        if self.min_new > self.max_new:
            raise BadInput(f"{self.min_new} is more than max_new, {self.max_new}", where="min_new", remedy="lower it or raise the other")
        for name in ("stop", "banned"):
            if not all(getattr(self, name)):
                raise BadInput("an empty text is in every text", where=name, remedy="leave it out")
