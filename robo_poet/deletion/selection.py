"""Which documents a deletion or a trace is about: by subject, source, id, title, author or a piece of text (DATA-4)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath

from robo_poet.corpus.document import FIELDS, Document
from robo_poet.corpus.words import comparable, comparable_words
from robo_poet.deletion.wording import name_phrases
from robo_poet.errors import BadInput

SEARCHED = tuple(name for name in FIELDS if name not in ("split", "sha256"))  # fields in which a subject's name is searched
BETWEEN = " 0field0 "  # so that a name is not found across two fields
SHORTEST_PIECE = 8  # letters and digits of a piece of text; a shorter one occurs by chance


@dataclass(frozen=True)
class Selection:
    """A document is selected if one of the values matches. All comparisons ignore case, accents, spaces and punctuation.

    Args:
        subjects: names of persons, or other words that identify them; found anywhere in a document, as whole words.
        sources: values of the column `source`, or addresses of corpora as in CORPUS, or their last part.
        documents: ids or SHA-256 of the text, compared exactly.
        titles, authors: compared as a whole.
        pieces: pieces of text.

    Raises:
        BadInput: no value is given, or a value is too short to identify a document.
    """

    subjects: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    _phrases: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        if not any(value for _, value in self.values()):
            raise BadInput("nothing is selected", remedy="give --subject, --source or --document")
        for kind, value in self.values():
            letters = len(comparable_words(value).replace(" ", ""))
            least = {"subject": 2, "piece": SHORTEST_PIECE}.get(kind, 1)
            if letters < least and not (kind == "document" and value.strip()):
                problem = f"{value!r} has {letters} letters and digits; at least {least} are needed, because it would match everything"
                raise BadInput(problem, where=f"--{'text' if kind == 'piece' else kind}")
        phrases = [phrase for subject in self.subjects for phrase in sorted(name_phrases(subject))]
        object.__setattr__(self, "_phrases", tuple(phrases))

    def values(self) -> Iterator[tuple[str, str]]:
        """Yield (kind, value) of each value; the kind is `subject`, `source`, `document`, `title`, `author` or `piece`."""
        for info in fields(self):
            if info.init:
                yield from ((info.name.removesuffix("s"), value) for value in getattr(self, info.name))

    def selects(self, document: Document, address: str = "") -> bool:
        """Return True if the document is selected.

        Args:
            address: address of the corpus that it comes from; empty if unknown.
        """
        if document.id in self.documents or document.sha256 in self.documents:
            return True
        if self.sources and any(_is_source(source, document, address) for source in self.sources):
            return True
        if any(comparable(value) == comparable(document.title) for value in self.titles if document.title):
            return True
        if any(comparable(value) == comparable(document.author) for value in self.authors if document.author):
            return True
        if self._phrases:
            words = comparable_words(BETWEEN.join(getattr(document, name) for name in SEARCHED))
            if any(phrase in words for phrase in self._phrases):
                return True
        return any(comparable(piece) in comparable(document.text) for piece in self.pieces)

    def of_column(self, documents: "list[Document]") -> Iterator[tuple[str, str]]:
        """Yield ("author" or "source", value) for each value that all documents of an author or a source have, for the suppression list.

        The source `user` is left out, because it stands for every corpus of a user.
        """
        for author in sorted({document.author for document in documents if document.author}):
            if any(comparable(author) == comparable(value) for value in (*self.authors, *self.subjects)):
                yield "author", author
        for source in sorted({document.source for document in documents if document.source}):
            if source != "user" and any(comparable(source) == comparable(value) for value in self.sources):
                yield "source", source


def _is_source(value: str, document: Document, address: str) -> bool:
    if comparable(value) == comparable(document.source):
        return True
    return bool(address) and value.rstrip("/") in (address.rstrip("/"), PurePosixPath(address).name)
