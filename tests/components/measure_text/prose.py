"""Made English: sentences that parse, on subjects that differ from work to work."""

import random

# people; things; deeds
SUBJECTS = [
    (
        "sailor captain pilot mariner boatswain fisherman helmsman smuggler diver admiral",
        "ship harbour anchor storm island wave sail rudder lighthouse current whale reef tide mast",
        "sank steered feared crossed watched reached followed left sighted rounded moored entered",
    ),
    (
        "king queen duke herald chancellor page courtier princess jester envoy",
        "crown throne palace treaty banquet sceptre decree dance chamber ring tapestry title portrait law",
        "praised refused honoured guarded signed envied granted broke sealed inherited mocked accepted",
    ),
    (
        "farmer shepherd miller maid ploughman gardener dairyman weaver beekeeper cooper",
        "barn harvest meadow plough lamb orchard cart hedge furrow mill pond beehive haystack seed",
        "mowed planted carried fenced gathered mended sold cleared watered painted bought tended",
    ),
    (
        "soldier general archer guard sergeant drummer scout gunner knight sentry",
        "sword fortress battle trench banner cannon rampart bridge siege armour drum retreat tunnel gate",
        "stormed defended buried loaded raised attacked lost captured planned cursed burned surrendered",
    ),
]
QUALITIES = (
    "old young weary proud gentle bitter silent bold humble careful grey tall honest famous nervous clever patient foreign lonely cheerful pale "
    "stubborn quiet broken golden narrow heavy distant"
).split()
TIMES = (
    "in the morning, at noon, after the feast, before winter, with great care, for many years, without a word, in spite of us, during the night, "
    "on a cold Sunday, near the river, for a small price, under a full moon, by mistake, out of pity, against all advice"
).split(", ")
ENDS = (
    "again, at last, alone, gladly, in secret, with both hands, before dawn, for nothing, on foot, like a fool, in tears, as always".split(
        ", "
    )
)


def prose(work: int, sentences: int) -> str:
    """`sentences` sentences of one work."""
    dice = random.Random(work)
    people, things, deeds = (words.split() for words in SUBJECTS[work % len(SUBJECTS)])

    def someone(article: str) -> str:
        return f"{article} {dice.choice(QUALITIES)} {dice.choice(people)}"

    def something() -> str:
        return f"the {dice.choice(QUALITIES)} {dice.choice(things)}" if dice.random() < 0.6 else f"the {dice.choice(things)}"

    def sentence() -> str:
        kind, deed, other = dice.randrange(4), dice.choice(deeds), dice.choice(deeds)
        if kind == 0:
            return f"{someone('The')} {deed} {something()} {dice.choice(TIMES)}, and {someone('the')} {other} {something()}."
        if kind == 1:
            return f"When {someone('the')} {deed} {something()}, we {other} {something()} {dice.choice(ENDS)}."
        if kind == 2:
            return f"{someone('The')} who {deed} {something()} {other} {something()} {dice.choice(ENDS)}."
        return f"She {deed} {something()} {dice.choice(TIMES)}, but {someone('the')} {other} {something()} {dice.choice(ENDS)}."

    return " ".join(sentence() for _ in range(sentences))
