"""Words of a list by what they are looked up by. A look-up takes some ten dictionary steps, however long the list."""

from collections.abc import Iterable

from serving.content_filter.word_list import Entry


class WordIndex:
    """Single words of a list.

    Args:
        entries: the first of two that fit is found.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._whole: dict[str, Entry] = {}
        self._beginnings: dict[str, Entry] = {}
        anywhere: dict[str, Entry] = {}
        for entry in entries:
            chosen = anywhere if entry.anywhere else self._beginnings if entry.open else self._whole
            chosen.setdefault(entry.word, entry)
        self._lengths = sorted({len(word) for word in self._beginnings})
        self._anywhere = tuple(anywhere.items())

    def find(self, word: str) -> Entry | None:
        """The entry that `word`, folded, is, begins with or holds."""
        found = self._whole.get(word)
        if found is not None:
            return found
        for length in self._lengths:
            if length > len(word):
                break
            found = self._beginnings.get(word[:length])
            if found is not None:
                return found
        for part, entry in self._anywhere:
            if part in word:
                return entry
        return None
