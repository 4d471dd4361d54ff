"""Selection of the texts that the English-only judges may score: parser, readability, toxicity, sentiment."""

from collections.abc import Sequence

from robo_poet.privacy.scrub import language_code

ENOUGH = 0.95  # minimum share of English texts


def english_rows(languages: Sequence[str]) -> list[int]:
    """Return the rows whose language is English or unknown.

    Return an empty list if they are under 95 % of the rows: the skipped rows could hold anything, and no judge would see it.
    """
    rows = [row for row, language in enumerate(languages) if language_code(language) in ("en", "unknown")]
    return rows if len(rows) >= ENOUGH * len(languages) else []


def unknown_rows(languages: Sequence[str]) -> int:
    """Return the number of rows without a declared language."""
    return sum(language_code(language) == "unknown" for language in languages)
