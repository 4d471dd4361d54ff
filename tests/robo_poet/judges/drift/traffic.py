"""Made traffic: windows of users whose scores depend on the prompt length, with labelled drifts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from robo_poet.judges.drift.observations import UserScore, Window

DAY = 86400.0
Change = Callable[[UserScore, np.random.Generator], UserScore]


def window(dice: np.random.Generator, day: int, users: int, *, deviation: float = 0.6, change: Change | None = None) -> Window:
    """A day of users. A user's mean cross-entropy is 4.2 − 0.25 ln(tokens) nats per token, with `deviation` between users."""
    tokens = dice.choice([3, 6, 12, 24, 48], users, p=[0.2, 0.3, 0.3, 0.15, 0.05])
    nats = np.maximum(0.05, 4.2 - 0.25 * np.log(tokens) + dice.normal(0, deviation, users))
    languages = dice.choice(["en", "es"], users, p=[0.95, 0.05])
    made = [
        UserScore(float(n), 3, float(t), float(dice.beta(1, 200)), {"language": str(language)})
        for n, t, language in zip(nats, tokens, languages, strict=True)
    ]
    return Window(day * DAY, (day + 1) * DAY, [change(user, dice) if change else user for user in made])


def shifted(by: float) -> Change:
    """Everyone's perplexity rises by a share."""
    return lambda user, _: replace(user, nats=user.nats + math.log1p(by))


def new_language(share: float, harder: float) -> Change:
    """A share of the users writes Portuguese, which the model predicts worse by `harder` nats per token."""

    def change(user: UserScore, dice: np.random.Generator) -> UserScore:
        return replace(user, nats=user.nats + harder, values={**user.values, "language": "pt"}) if dice.random() < share else user

    return change


def new_client(share: float, harder: float) -> Change:
    """A share of the users comes through an application, whose texts the model predicts worse by `harder` nats; the others use keys."""

    def change(user: UserScore, dice: np.random.Generator) -> UserScore:
        through = dice.random() < share
        client = "application" if through else "key"
        return replace(user, nats=user.nats + harder * through, values={**user.values, "client": client})

    return change


def broken_text(share: float) -> Change:
    """A share of the users sends binary data."""

    def change(user: UserScore, dice: np.random.Generator) -> UserScore:
        return replace(user, nats=9.0, broken=0.6, values={**user.values, "language": "unknown"}) if dice.random() < share else user

    return change


def hostile(users: Sequence[UserScore], count: int) -> list[UserScore]:
    """The first `count` users send random words."""
    return [replace(user, nats=12.0) if k < count else user for k, user in enumerate(users)]
