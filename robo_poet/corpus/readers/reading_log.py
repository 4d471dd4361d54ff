"""What the readers of a corpus assumed, so that a warning can say it: encodings, missing values, parts of a work, licences."""

from dataclasses import dataclass, field

from robo_poet.display import quotable_name

MOST_NAMED = 3  # files in a warning


@dataclass
class ReadingLog:
    """What was assumed in the latest reading of each file.

    Attributes:
        encodings: file → the assumed encoding, and the number of lines read in it; 0 for the whole file.
        missing: file → number of values NaN that were read as missing.
        divisions: file → number of its parts, and where it was cut.
        left_out: file → characters of a licence that were left out.
    """

    encodings: dict[str, tuple[str, int]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    divisions: dict[str, tuple[int, str]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def start(self, where: str) -> None:
        """Begin a reading of a file: forget an earlier one."""
        for notes in (self.encodings, self.missing, self.divisions, self.left_out):
            notes.pop(where, None)

    def assume(self, where: str, encoding: str, lines: int = 0) -> None:
        """Note that a file, or that many of its lines, are read in an assumed encoding."""
        self.encodings[where] = (encoding, lines)

    def count_missing(self, where: str) -> None:
        """Count a value NaN that is read as missing."""
        self.missing[where] = self.missing.get(where, 0) + 1

    def divide(self, where: str, parts: int, place: str) -> None:
        """Note that a file was divided into parts, at its headings or at other places."""
        self.divisions[where] = (parts, place)

    def leave_out(self, where: str, characters: int) -> None:
        """Count characters of a licence that were left out."""
        self.left_out[where] = self.left_out.get(where, 0) + characters

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings; empty if nothing was assumed."""
        return (*self._encoding_warnings(), *self._missing_warnings(), *self._division_warnings(), *self._licence_warnings())

    def _encoding_warnings(self) -> list[str]:
        whole = {where: encoding for where, (encoding, lines) in self.encodings.items() if not lines}
        parts = {where: (encoding, lines) for where, (encoding, lines) in self.encodings.items() if lines}
        warnings = []
        if whole:
            named = _named([f"{_name(where)} as {encoding}" for where, encoding in whole.items()])
            warnings.append(f"no byte order mark, so the encoding was assumed from the NUL bytes: {named}")
        if parts:
            encoding = next(iter(parts.values()))[0]
            named = _named([f"{_name(where)} ({lines:,})" for where, (_, lines) in parts.items()])
            total = sum(lines for _, lines in parts.values())
            warnings.append(
                f"lines that are not UTF-8 were read as {encoding} (ingest.encoding), {total:,} in all: {named}. Check their accents"
            )
        return warnings

    def _missing_warnings(self) -> list[str]:
        if not self.missing:
            return []
        named = _named([f"{_name(where)} ({count:,})" for where, count in self.missing.items()])
        return [f"values NaN were read as missing, {sum(self.missing.values()):,} in all: {named}"]

    def _division_warnings(self) -> list[str]:
        if not self.divisions:
            return []
        named = _named([f"{_name(where)} into {parts} parts at {place}" for where, (parts, place) in self.divisions.items()])
        return [
            "fewer works than the three splits need, or one with most of the text, so it was divided (ingest.few_works): "
            f"{named}. The parts of one work are alike, so held-out figures are better than those of another work. To divide the text "
            "yourself, write a line --- between the parts of a single file, or give each part of a folder its own file"
        ]

    def _licence_warnings(self) -> list[str]:
        if not self.left_out:
            return []
        named = _named([f"{_name(where)} ({characters:,} characters)" for where, characters in self.left_out.items()])
        return [f"the licence of Project Gutenberg before and after the text was left out: {named}"]


def _name(where: str) -> str:
    return quotable_name(where.rpartition("/")[2], "a file with a long name")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
