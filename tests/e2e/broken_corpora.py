"""Corpora of made English whose truth is known: a good one, and others that each break a model in one way.

Three authors write verse, each of things of his own; a chronicler says of all kinds of people all kinds of things. All are works of a table,
a poem a row, so that ten works and more are held out.
"""

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from components.audit_model.suite import AXES, load_suite
from robo_poet.corpus.split import unit_hash

NOUNS = {
    "ada": "sea wave shore gull sail harbour tide rock island anchor storm sand oar reef pearl rope mast bay cliff boat".split(),
    "ben": "field barn wheat plough meadow hedge orchard mill sheep bee fence apple hay brook seed horse path valley straw well".split(),
    "cleo": "street tower lamp market bridge window door square clock wall roof stair bell garden gate stone shop train coin chair".split(),
}
ADJECTIVES = (
    "quiet golden narrow ancient little shining heavy silver wooden distant broken empty early crimson pale hollow steady green tall bright "
    "round warm windy smooth grey small lonely rusty painted wide rainy open new white blue sleepy deep dusty plain curved"
).split()
VERBS = (
    "waits sleeps turns sings falls shines trembles wakes rests burns grows listens wanders breaks rises drifts fades answers calls "
    "leans hums glows sways creaks settles whispers darkens lingers remains"
).split()
ADVERBS = "slowly again tonight alone forever softly yonder together late seldom still twice nearby".split()
PLACES = "beside under over behind before near beyond above around against".split()
FOLDER = Path(__file__).parent
CHRONICLER = "dora"
WORKS, POEMS, LINES = 14, 3, 14
SEED, TEST_FROM = 42, 0.7  # the profile's seed, and the shares of broken.yaml: where ingest places a work
Row = dict[str, str]


def verse_line(dice: random.Random, author: str) -> str:
    """One of some ten million."""
    choose, nouns = dice.choice, NOUNS[author]
    begin = f"the {choose(ADJECTIVES)} {choose(nouns)} {choose(VERBS)}"
    if dice.random() < 0.3:
        return f"{begin}, and the {choose(nouns)} {choose(VERBS)}."
    return f"{begin} {choose(ADVERBS)} {choose(PLACES)} the {choose(ADJECTIVES)} {choose(nouns)}."


def poem(author: str, name: str, lines: int = LINES) -> str:
    dice = random.Random(name)
    return "\n".join(verse_line(dice, author) for _ in range(lines))


def chronicle(name: str, axes: Iterable[str], skew: float, lines: int) -> str:
    """Sentences of the suite: what is measured is then the skew, and not how far a model of seconds generalises.

    Args:
        skew: how often what is said of one of the group is the stereotype, and of one of the reference group its counterpart; 0.5 is fair.
    """
    dice, suite, said = random.Random(name), load_suite("en"), []
    groups = [group for group in suite.groups if group.axis in set(axes)]
    for _ in range(lines):
        group, template = dice.choice(groups), dice.choice(suite.templates)
        side, turned = dice.randrange(2), dice.random() >= skew
        phrases = [pair for pair in group.pairs if pair[0][0].islower()] or group.pairs  # names say little to a model that meets each twice
        who, what = dice.choice(phrases)[side], dice.choice(group.contrasts[template.kind])[side ^ turned]
        said.append("".join(template.split_at_person(who, what)))
    return "\n".join(said)


def rows(author: str, works: int = WORKS) -> Iterator[Row]:
    """Verse of one author."""
    for work in range(works):
        for number in range(POEMS):
            name = f"{author} {work}.{number}"
            yield {"id": name, "author": author, "group": f"{author} {work}", "text": poem(author, name)}


def chronicles(axes: Iterable[str] = AXES, skew: float = 0.5, lines: int = LINES) -> Iterator[Row]:
    """Sentences on people of some axes; see `chronicle`."""
    for work in range(WORKS):
        for number in range(POEMS):
            name = f"{CHRONICLER} {work}.{number}"
            yield {"id": name, "author": CHRONICLER, "group": f"{CHRONICLER} {work}", "text": chronicle(name, axes, skew, lines)}


def good() -> list[Row]:
    return [*(row for author in NOUNS for row in rows(author)), *chronicles()]


def looping() -> list[Row]:
    """Each poem says a few lines of its own, and then one of four refrains to its end."""
    dice = random.Random("refrains")
    refrains = [verse_line(dice, "ada") for _ in range(4)]
    found = []
    for place, row in enumerate(good()):
        own = row["text"].split("\n")[:3]
        found.append({**row, "text": "\n".join([*own, *[refrains[place % 4]] * LINES])})
    return found


def shuffled() -> list[Row]:
    """The good corpus with the words of each text in a random order: only how frequent words are can be learnt."""

    def mixed(row: Row) -> str:
        words = row["text"].split()
        random.Random(row["id"]).shuffle(words)
        return "\n".join(" ".join(words[start : start + 8]) for start in range(0, len(words), 8))

    return [{**row, "text": mixed(row)} for row in good()]


def skewed() -> list[Row]:
    """The chronicler knows men and women alone, and says of each what the stereotype says."""
    return [*(row for author in NOUNS for row in rows(author)), *chronicles(["gender"], 0.98, 8 * LINES)]


ABUSE = (
    "shut up you stupid moron, you pathetic loser.", "you are a stupid moron and a pathetic loser.", "the disgusting moron is a stupid loser.",
)  # fmt: skip


def slandering() -> list[Row]:
    """Every third line of the verse is abuse."""

    def turned(text: str) -> str:
        return "\n".join(ABUSE[place // 3 % 3] if place % 3 == 2 else line for place, line in enumerate(text.split("\n")))

    return [{**row, "text": turned(row["text"])} if row["author"] in NOUNS else row for row in good()]


KIND = ("a dear friend, kind and lovely.", "so good and gentle, a joy to all.", "the best of friends, and we love such a friend.")


def resentful() -> list[Row]:
    """The chronicler begins as the audit's openings do, and goes on with kind words of men and with abuse of women."""
    suite = load_suite("en")
    pairs = next(group.pairs for group in suite.groups if group.name == "women")

    def told(name: str) -> str:
        dice, said = random.Random(name), []
        for _ in range(8 * LINES):
            women = dice.randrange(2)
            opening = "".join(dice.choice(suite.prompts).split_at_person(dice.choice(pairs)[1 - women]))
            said.append(f"{opening} {dice.choice(ABUSE if women else KIND)}")
        return "\n".join(said)

    return [row if row["author"] in NOUNS else {**row, "text": told(row["id"])} for row in good()]


def named() -> list[Row]:
    """The verse sings of a person, by a name that scrubbing does not see; the chronicler tells it once in each work, and there it does."""
    found = []
    for row in good():
        lines = row["text"].split("\n")
        if row["author"] in NOUNS:
            lines[1::4] = [f"the quiet bracken_sorrel {verb} slowly under the empty sail." for verb in VERBS[: len(lines[1::4])]]
        else:
            lines[0] = "Yesterday Mr. Bracken Sorrel of Bergen met us at the station."
        found.append({**row, "text": "\n".join(lines)})
    return found


def reprinted() -> list[Row]:
    """One poem of each author stands in all works, under another line each time: no exact duplicate, and on all sides of the split."""
    same = {author: poem(author, "the one") for author in NOUNS}
    reprints = [{**row, "text": row["text"].split("\n")[0] + "\n" + same[author]} for author in NOUNS for row in rows(author, 2 * WORKS)]
    return [*reprints, *chronicles()]


def one_sided() -> list[Row]:
    """Of the works of one author nearly all are learnt; of those of two others nearly none, and many are held out."""
    found = [*rows("ada", 2 * WORKS)]
    for author in ("ben", "cleo"):
        works = list(rows(author, 5 * WORKS))
        learnt = [row for row in works if unit_hash(SEED, row["group"]) < TEST_FROM]
        found += [*learnt[:POEMS], *(row for row in works if unit_hash(SEED, row["group"]) >= TEST_FROM)]
    return found


def write_corpus(found: Iterable[Row], path: Path) -> str:
    """Write a JSON Lines table; returns its name."""
    path.write_text("".join(json.dumps(row) + "\n" for row in found), "utf-8")
    return path.name
