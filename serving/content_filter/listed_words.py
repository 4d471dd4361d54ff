"""The judge for listed words, including obfuscated spellings: digits and symbols for letters, repeated or separated letters, words that
are split by blanks, reversed or turned upside down.

It finds whole words, and parts of words only where the list entry allows it, so "Scunthorpe" and "assassin" pass. It takes linear time.
"""

import itertools
import re
from collections.abc import Iterable, Iterator

from serving.content_filter.decision import Hit, Side
from serving.content_filter.passage import Passage
from serving.content_filter.word_list import LIST_FOLDER, WordEntry, WordIndex

_LEET = str.maketrans("013456789@$!|+", "oieasgtbgasiit")
_LEET_AS_L = str.maketrans("013456789@$!|+", "oleasgtbgasllt")  # 1, ! and | are also an l
_PIECE = re.compile(r"(?:[^\W_]|[@$!|+*])+")
_END_PUNCTUATION = "!|+*"  # these are punctuation at the end of a word
_REPETITION = re.compile(r"(.)\1\1+")
_MAX_REPETITIONS = 4  # repeated letters of a word that are tried both once and twice: at most 16 spellings


def split_chunk(chunk: str) -> list[str]:
    """Split a folded text without spaces into words. Symbols that may represent letters remain in the words."""
    return [chunk] if chunk.isalpha() else _PIECE.findall(chunk)


def spellings(piece: str) -> tuple[str, ...]:
    """Return the words that a piece may represent, at most three.

    - First, the piece without punctuation at its ends.
    - Then the piece with letters in place of digits and symbols, in two variants (1, ! and | as i or l).
    """
    if piece.isalpha() or len(piece) == 1:
        return (piece,)
    core = piece.strip(_END_PUNCTUATION)
    if not any(character.isalpha() for character in core):  # a number without letters is not a word
        return (core,) if core else ()
    tail = piece.rstrip(_END_PUNCTUATION)
    return tuple(dict.fromkeys((core, tail.translate(_LEET), tail.translate(_LEET_AS_L))))


def without_repetitions(word: str) -> Iterator[str]:
    """Yield the words behind repeated letters: each run of three or more equal letters becomes one or two. Yields nothing without a run."""
    if len(word) < 3:
        return
    runs = [match.span() for match in _REPETITION.finditer(word)]
    if not runs:
        return
    for counts in itertools.product((1, 2), repeat=min(len(runs), _MAX_REPETITIONS)):
        parts, end = [], 0
        for number, (start, stop) in enumerate(runs):
            count = counts[number] if number < len(counts) else 1
            parts += [word[end:start], word[start] * count]
            end = stop
        yield "".join(parts) + word[end:]


def joined_letters(words: list[str]) -> Iterator[str]:
    """Yield each run of three or more single letters as one word. This finds words with spaces or dots between the letters."""
    run: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1:
            run.append(word)
            continue
        if len(run) >= 3:
            yield "".join(run)
        run.clear()


# Words that listed words are composed of by chance, such as "wan king" and "deep throat".
_ORDINARY_WORDS = frozenset(LIST_FOLDER.joinpath("ordinary.txt").read_text("utf-8").split("]\n", 1)[1].split())
_MIN_SPELLED_LETTERS = 4  # least letters of a word that is searched for inside a run of single letters


class WordJudge:
    """A judge that finds the words and phrases of `entries`.

    Args:
        allowed: folded words that always pass.
    """

    def __init__(self, entries: Iterable[WordEntry], allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(allowed)
        kept = [entry for entry in entries if entry.word not in self._allowed]
        words = [entry for entry in kept if " " not in entry.word]
        self._index = WordIndex(words)
        self._spelled = {entry.word.replace(" ", ""): entry for entry in reversed(kept)}
        self._spelled_lengths = sorted({len(word) for word in self._spelled if len(word) >= _MIN_SPELLED_LETTERS})
        self._split_starts = frozenset(word[:length] for word in self._spelled for length in range(1, len(word)))
        self._masked: dict[tuple[str, str, int], list[WordEntry]] = {}
        for entry in words:
            self._masked.setdefault((entry.word[0], entry.word[-1], len(entry.word)), []).append(entry)
        self._phrases: dict[str, list[tuple[list[str], WordEntry]]] = {}
        for entry in kept:
            phrase = entry.word.split(" ")
            if len(phrase) > 1:
                self._phrases.setdefault(phrase[0], []).append((phrase, entry))

    def find(self, passage: Passage, _side: Side) -> Hit | None:
        """Return a hit for the first listed word in the text. The word may start in the preceding text."""
        entry = next(filter(None, map(self._find_entry, passage.readings)), None)
        return Hit(entry.rule, entry.category) if entry else None

    def _find_entry(self, text: str) -> WordEntry | None:
        plain_words: list[str] = []
        fragments: list[str] = []  # plain words; an empty string where no word may be joined
        has_repetition = _REPETITION.search(text) is not None
        for chunk in text.split():
            if chunk.isalpha() and not has_repetition:  # most words of most texts
                if chunk not in self._allowed and (entry := self._index.find(chunk)):
                    return entry
                plain_words.append(chunk)
                fragments.append(chunk)
                continue
            chunk_pieces = split_chunk(chunk)
            apostrophe = "'" in chunk or "’" in chunk
            for piece in chunk_pieces:
                words = spellings(piece)
                for word in words:
                    if entry := self._look_up(word):
                        return entry
                if "*" in piece and (entry := self._unmask(piece)):
                    return entry
                if words:
                    plain_words.append(words[min(1, len(words) - 1)])
                    fragments.append("" if apostrophe else plain_words[-1])
            # f.u-c_k is checked as one word; he'll and can't are not.
            if len(chunk_pieces) > 1 and not apostrophe and (entry := self._look_up("".join(chunk_pieces))):
                return entry
        return self._find_phrase(plain_words) or self._find_spelled_out(plain_words) or self._find_split(fragments)

    def _look_up(self, word: str) -> WordEntry | None:
        if word in self._allowed:
            return None
        return self._index.find(word) or next(filter(None, map(self._index.find, without_repetitions(word))), None)

    def _unmask(self, piece: str) -> WordEntry | None:
        """Return the entry for a word whose inner letters are replaced by asterisks."""
        for entry in self._masked.get((piece[0], piece[-1], len(piece)), ()):
            if all(character in ("*", letter) for character, letter in zip(piece, entry.word, strict=True)):
                return entry
        return None

    def _find_phrase(self, words: list[str]) -> WordEntry | None:
        for start, word in enumerate(words):
            for phrase, entry in self._phrases.get(word, ()):
                if words[start : start + len(phrase)] == phrase:
                    return entry
        return None

    def _find_spelled_out(self, words: list[str]) -> WordEntry | None:
        for run in itertools.chain.from_iterable(map(spellings, joined_letters(words))):
            if run in self._spelled:
                return self._spelled[run]
            for length in self._spelled_lengths:
                for start in range(len(run) - length + 1):
                    if entry := self._spelled.get(run[start : start + length]):
                        return entry
        return None

    def _find_split(self, words: list[str]) -> WordEntry | None:
        """Return the entry for a word that is split into several words, at least one of them with two letters and not ordinary.

        Single letters are found by `_find_spelled_out`. So "Model S hit" passes.
        """
        for start, first in enumerate(words):
            joined, stop = first, start + 1
            while joined in self._split_starts and stop < len(words) and words[stop]:
                joined += words[stop]
                stop += 1
                entry = self._spelled.get(joined)
                if (
                    entry
                    and joined not in self._allowed
                    and any(len(word) > 1 and word not in _ORDINARY_WORDS for word in words[start:stop])
                ):
                    return entry
        return None
