"""The table of the corpora in the docs: one row for each measured run, and a mark for each corpus that was not measured."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "explanation" / "corpora.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
HEAD = ("corpus", "MB", "documents", "describe, s", "run, s", "verdict", "open questions", "bits per byte", "unigram baseline", "date")


@dataclass(frozen=True)
class Row:
    """A measured run.

    Attributes:
        megabytes: of text, UTF-8.
        describe_seconds, run_seconds: wall time, with the start of Python.
        bits_per_byte, unigram: of the held-out text.
    """

    corpus: str
    megabytes: float
    documents: int
    describe_seconds: float
    run_seconds: float
    verdict: str
    open_questions: int
    bits_per_byte: float
    unigram: float
    date: str

    def cells(self) -> list[str]:
        """Return the cells of the table."""
        return [
            self.corpus, f"{self.megabytes:.2f}", f"{self.documents:,}", f"{self.describe_seconds:.0f}", f"{self.run_seconds:.0f}",
            self.verdict, str(self.open_questions), f"{self.bits_per_byte:.2f}", f"{self.unigram:.2f}", self.date,
        ]  # fmt: skip


def save(row: Row, folder: Path) -> None:
    """Keep the row in a file, so that runs in several sessions make one table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{row.corpus}.json").write_text(json.dumps(asdict(row)))


def load(folder: Path) -> dict[str, Row]:
    """Return the kept rows by corpus."""
    rows = [Row(**json.loads(path.read_text())) for path in folder.glob("*.json")]
    return {row.corpus: row for row in rows}


def markdown(corpora: Iterable[str], rows: dict[str, Row]) -> str:
    """Return the table, in the order of `corpora`."""
    empty = ["not measured", *[""] * (len(HEAD) - 2)]
    body = [rows[corpus].cells() if corpus in rows else [corpus, *empty] for corpus in corpora]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [list(HEAD), ["---"] * len(HEAD), *body])


def current_table(page: str) -> str:
    """Return what is between the marks of the page."""
    return page.partition(BEGIN)[2].partition(END)[0]


def replace_table(page: str, table: str) -> str:
    """Return the page with a new table between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN.strip()} and {END.strip()}")
    return before + BEGIN + "\n" + table + "\n" + END + after
