"""Removal of personal data from the texts of a record (contract 11: texts of users get the full treatment)."""

from collections.abc import Sequence

from robo_poet.corpus.document import Document
from robo_poet.privacy.scrub import Scrubber
from robo_poet.settings.request_log import RequestLogSettings
from robo_poet.settings.scrub import ScrubSettings

BETWEEN = "\n\x1e\n"  # a separate line, so that no match spans two texts


class Texts:
    """A scrubber of a prompt and its completions. They are scrubbed as one text, so that a name found in one is found in all.

    Raises:
        BadInput: the spaCy model is not installed.
    """

    def __init__(self, settings: RequestLogSettings) -> None:
        self._scrubber = Scrubber(
            ScrubSettings(policies={}, default_policy=settings.names, min_score=settings.min_score, spacy_model=settings.spacy_model)
        )
        self.scrub(["Anna Kowalski"])  # load the spaCy model now, which takes some 2 s

    def scrub(self, texts: Sequence[str]) -> list[str]:
        """Return the texts without personal data, normalised and in the same order."""
        if any("\x1e" in text for text in texts):
            return [self._one(text) for text in texts]
        together = self._one(BETWEEN.join(texts)).split(BETWEEN)
        return together if len(together) == len(texts) else [self._one(text) for text in texts]

    def _one(self, text: str) -> str:
        [(document, _)] = self._scrubber.scrub([Document(id="", group="", text=text)])
        return document.text
