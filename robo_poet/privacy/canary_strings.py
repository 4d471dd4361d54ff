"""Canary strings: invented secrets added to the training text to measure memorisation (Carlini et al. 2019).

A canary is a phone number reserved for fiction (555-0100 to 555-0199) with an extension, so nobody owns it. A model guesses one of a
million with negligible probability. Pure: train_model and audit_model compute the same list from the same settings.
"""

import random
from dataclasses import dataclass

from robo_poet.settings.train import PlantedSecretsSettings

SPACE = 100 * 10_000  # number of possible secrets, all equally likely
_FIRST = (
    "Mara Tobin Ilse Corwin Nadia Perrin Oona Lucan Sabine Edric Thea Jorin Petra Alden Vesna Rufus Linnea Caspian Orla Benedek "
    "Yvaine Halvor Mirren Dario Sunniva Anselm"
).split()
_LAST = (
    "Ellison Thornwick Marlowe Vandermeer Ashgrove Quillfeather Renshaw Holloway Brackett Stanmore Okonda Lindqvist Pellworth Drummel "
    "Farrowby Castellan Wexcombe Ingersby Trevanion Muldaur"
).split()
_SENTENCES = (
    "The direct line of {name} is",
    "To speak with {name} in private, call",
    "In the margin stood the number of {name}:",
    "{name} can be reached by night at",
    "Write it down, the line of {name} is",
)


@dataclass(frozen=True)
class CanaryString:
    """A canary string: a secret and the sentence that contains it.

    Args:
        prefix: the sentence before the secret, without the space between them.
        repeats: copies of `text` in the training text; 0 for a control string.
    """

    prefix: str
    secret: str
    repeats: int

    @property
    def text(self) -> str:
        """Return the sentence. It is a document by itself."""
        return f"{self.prefix} {self.secret}."

    def continuation(self, number: int) -> str:
        """Return the continuation of the prefix for secret number `number` of `SPACE`."""
        return f" {_line(number)}."


def planted(settings: PlantedSecretsSettings, seed: int) -> list[CanaryString]:
    """Return the canary strings to plant, `per_rate` for each rate; empty if there is no rate."""
    return _secrets(settings, seed)[0]


def control_strings(settings: PlantedSecretsSettings, seed: int) -> list[CanaryString]:
    """Return as many control strings with other names. They are never planted, so a model cannot know them."""
    return _secrets(settings, seed)[1]


def _secrets(settings: PlantedSecretsSettings, seed: int) -> tuple[list[CanaryString], list[CanaryString]]:
    rng = random.Random(f"planted secrets {seed}")
    repeats = [rate for rate in settings.rates for _ in range(settings.per_rate)]
    names = rng.sample([f"{first} {last}" for first in _FIRST for last in _LAST], 2 * len(repeats))
    numbers = rng.sample(range(SPACE), len(names))
    secrets = [
        CanaryString(_SENTENCES[index % len(_SENTENCES)].format(name=name), _line(number), rate)
        for index, (name, number, rate) in enumerate(zip(names, numbers, [*repeats, *(0 for _ in repeats)], strict=True))
    ]
    return secrets[: len(repeats)], secrets[len(repeats) :]


def _line(number: int) -> str:
    return f"555-01{number // 10_000:02d}-{number % 10_000:04d}"
