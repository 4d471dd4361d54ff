"""How a completion is to be written (GEN-1, GEN-2)."""

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
        max_new, min_new: tokens to write, at most and at least.
        temperature: of the draw; lower is plainer.
        top_k: draw from the k likeliest; 0 is off, 1 is greedy.
        top_p: draw from the likeliest that hold this mass together.
        repetition_penalty: by how much a token that was seen is made less likely; 1 is off.
        stop: texts after which writing stops; the text that stopped it stays.
        banned: no token that holds one of these texts is written.
        beams: more than 1 is beam search: no draw, and temperature, top_k, top_p and the seed mean nothing.
        length_penalty: of beam search; higher favours longer texts.

    Raises:
        BadInput: a value out of range, with its name and what is allowed.
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
            if not low <= value <= high:  # also refuses NaN
                raise BadInput(f"{value} is out of range", where=name, remedy=f"give a value from {low} to {high}")
        if self.min_new > self.max_new:
            raise BadInput(f"{self.min_new} is more than max_new, {self.max_new}", where="min_new", remedy="lower it or raise the other")
        for name in ("stop", "banned"):
            if not all(getattr(self, name)):
                raise BadInput("an empty text is in every text", where=name, remedy="leave it out")
