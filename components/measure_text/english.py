"""Which texts the English models may judge: parser, readability, toxicity and sentiment know no other language."""

from collections.abc import Sequence

from robo_poet.privacy.scrub import language_code

ENOUGH = 0.95  # share of the texts


def english_rows(languages: Sequence[str]) -> list[int]:
    """Rows in English or in a language that nobody said; none where more than a few are not: what nobody reads could say anything."""
    rows = [row for row, language in enumerate(languages) if language_code(language) in ("en", "unknown")]
    return rows if len(rows) >= ENOUGH * len(languages) else []


def unknown_rows(languages: Sequence[str]) -> int:
    """How many rows do not say their language."""
    return sum(language_code(language) == "unknown" for language in languages)
