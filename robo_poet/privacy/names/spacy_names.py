"""Detection of persons' names by spaCy's named entity recogniser. Slow: about 25 KB/s per process.

Only persons. Places, dates and nations are common in poems, and identify no one once the name next to them is removed.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import spacy

from robo_poet.errors import BadInput
from robo_poet.privacy.findings import Finding
from robo_poet.privacy.names.repeated_names import REPEATED_SCORE, repeated_names

SCORE = 0.85  # Presidio's score of a spaCy entity; spaCy gives no confidence
PIECE = 4_000  # characters per call: spaCy's memory grows with the text, and it rejects more than a million
BATCH = 32
UNUSED = ["tagger", "morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer"]
PARAGRAPH = re.compile(r"\n\s*\n|\n|(?<=[.!?])\s")


class NameFinder:
    """A finder of persons' names in texts of `languages`. In other languages it misses most names without a warning.

    Raises:
        BadInput: the spaCy model is not installed or recognises no entities.
    """

    def __init__(self, model: str, min_score: float) -> None:
        try:
            if not spacy.util.is_package(model):  # a folder could have any content; packages have the digests of the lock
                raise ImportError(model)
            self._model = spacy.load(model, exclude=UNUSED)
        except (OSError, ImportError, AttributeError):  # AttributeError: a package that is not a model
            raise BadInput(
                f"spaCy model {model!r} is not installed", where="scrub.spacy_model", remedy="install it or set another model"
            ) from None
        if "ner" not in self._model.pipe_names:
            raise BadInput(
                f"spaCy model {model!r} has no named entity recogniser", where="scrub.spacy_model", remedy="set a model with `ner`"
            )
        self.languages = frozenset({str(self._model.lang)} - {"xx"})  # empty for a model of many languages
        self._min_score = min_score

    def find(self, texts: Sequence[str], processes: int = 1) -> list[list[Finding]]:
        """Return the findings of each text."""
        if self._min_score > SCORE:
            return [[] for _ in texts]
        per_text: list[list[Finding]] = [[] for _ in texts]
        # spaCy keeps every new word in memory. Without the zone, a server that reads users' texts grows by megabytes per minute.
        with self._model.memory_zone():
            for number, finding in self._entities(texts, processes):
                per_text[number].append(finding)
            if self._min_score <= REPEATED_SCORE:
                for text, findings in zip(texts, per_text, strict=True):
                    findings += list(repeated_names(text, findings, lambda word: bool(self._model.vocab[word].is_stop)))
        return per_text

    def _entities(self, texts: Sequence[str], processes: int) -> Iterator[tuple[int, Finding]]:
        cuts = ((text[start:end], (number, start)) for number, text in enumerate(texts) for start, end in pieces(text))
        for document, (number, offset) in self._model.pipe(cuts, as_tuples=True, batch_size=BATCH, n_process=processes):
            for entity in document.ents:
                if entity.label_ in ("PERSON", "PER"):
                    yield from ((number, finding) for finding in _split_at_lines(entity, offset))


def _split_at_lines(entity: Any, offset: int) -> Iterator[Finding]:
    """Split an entity that spans lines into one finding per line, so that a poem keeps its lines."""
    for match in re.finditer(r"[^\n]+", entity.text):
        start = offset + entity.start_char
        yield Finding("PERSON", start + match.start(), start + match.end(), SCORE, "SpacyRecognizer")


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Cut a text into pieces of at most 4,000 characters, at the end of a paragraph, line or sentence if there is one."""
    start = 0
    while len(text) - start > PIECE:
        ends = [m.end() for m in PARAGRAPH.finditer(text, start + PIECE // 2, start + PIECE)]
        end = ends[-1] if ends else start + PIECE
        yield start, end
        start = end
    yield start, len(text)
