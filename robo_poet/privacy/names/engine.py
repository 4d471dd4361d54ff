"""The engine that finds names under the policy `full`, by the settings (DATA-3)."""

from collections.abc import Sequence
from typing import Protocol

from robo_poet.privacy.findings import Finding
from robo_poet.settings.data import ScrubSettings


class NameEngine(Protocol):
    """A finder of names in texts.

    Attributes:
        languages: ISO 639-1 codes of the languages in which it finds them. Empty: all.
    """

    languages: frozenset[str]

    def find(self, texts: Sequence[str], processes: int = 1, /) -> list[list[Finding]]:
        """Return the findings of each text."""
        ...


def name_engine(settings: ScrubSettings) -> NameEngine:
    """Return the engine of the settings. Its packages are imported here, because each takes a second.

    Raises:
        BadInput: its model is not installed.
    """
    if settings.name_engine == "spacy":
        from robo_poet.privacy.names.spacy_names import NameFinder

        return NameFinder(settings.spacy_model, settings.min_score)
    from robo_poet.privacy.names.entities import EntityFinder

    return EntityFinder(settings.name_threshold)


def engine_name(settings: ScrubSettings) -> str:
    """Return the name of the engine's model, for messages."""
    return settings.spacy_model if settings.name_engine == "spacy" else "rampart"
