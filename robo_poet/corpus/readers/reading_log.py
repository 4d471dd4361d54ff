"""What the readers of a corpus assumed, so that a warning can say it: encodings, and numbers that stand for missing values."""

from dataclasses import dataclass, field

from robo_poet.display import quotable_name

MOST_NAMED = 3  # files in a warning


@dataclass
class ReadingLog:
    """What was assumed in the latest reading of each file.

    Attributes:
        encodings: file → the assumed encoding, and the number of lines read in it; 0 for the whole file.
        missing: file → number of values NaN that were read as missing.
    """

    encodings: dict[str, tuple[str, int]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)

    def start(self, where: str) -> None:
        """Begin a reading of a file: forget an earlier one."""
        self.encodings.pop(where, None)
        self.missing.pop(where, None)

    def assume(self, where: str, encoding: str, lines: int = 0) -> None:
        """Note that a file, or that many of its lines, are read in an assumed encoding."""
        self.encodings[where] = (encoding, lines)

    def count_missing(self, where: str) -> None:
        """Count a value NaN that is read as missing."""
        self.missing[where] = self.missing.get(where, 0) + 1

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings; empty if nothing was assumed."""
        return (*self._encoding_warnings(), *self._missing_warnings())

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


def _name(where: str) -> str:
    return quotable_name(where.rpartition("/")[2], "a file with a long name")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
