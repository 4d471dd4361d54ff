"""An index over the words of a word list. A look-up takes about ten dictionary steps for a list of any length."""

from collections.abc import Iterable

from serving.content_filter.word_list import Entry


class WordIndex:
    """An index of the single words of a list.

    Args:
        entries: if the same word appears twice, the first entry is used.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._whole: dict[str, Entry] = {}
        self._beginnings: dict[str, Entry] = {}
        anywhere: dict[str, Entry] = {}
        for entry in entries:
            index = anywhere if entry.anywhere else self._beginnings if entry.open else self._whole
            index.setdefault(entry.word, entry)
        self._lengths = sorted({len(word) for word in self._beginnings})
        self._anywhere = tuple(anywhere.items())

    def find(self, word: str) -> Entry | None:
        """Return the entry that equals `word` (folded), that `word` starts with, or that it contains. None if there is none."""
        match = self._whole.get(word)
        if match is not None:
            return match
        for length in self._lengths:
            if length > len(word):
                break
            match = self._beginnings.get(word[:length])
            if match is not None:
                return match
        for part, entry in self._anywhere:
            if part in word:
                return entry
        return None
