"""Possible words behind an obfuscated spelling: digits and symbols for letters, repeated letters, separated letters."""

import itertools
import re
from collections.abc import Iterator

_LEET = str.maketrans("013456789@$!|+", "oieasgtbgasiit")
_LEET_L = str.maketrans("013456789@$!|+", "oleasgtbgasllt")  # 1, ! and | are also an l
_PIECE = re.compile(r"(?:[^\W_]|[@$!|+*])+")
_ENDS = "!|+*"  # these are punctuation at the end of a word
_DRAWN_OUT = re.compile(r"(.)\1\1+")
_DRAWN = 4  # repeated letters of a word that are tried both once and twice: at most 16 spellings


def pieces(chunk: str) -> list[str]:
    """Split a folded text without spaces into words. Symbols that may stand for letters stay in the words."""
    return [chunk] if chunk.isalpha() else _PIECE.findall(chunk)


def spellings(piece: str) -> tuple[str, ...]:
    """Return the words that a piece may stand for, at most three.

    - First, the piece without punctuation at its ends.
    - Then the piece with letters in place of digits and symbols, in two variants (1, ! and | as i or l).
    """
    if piece.isalpha() or len(piece) == 1:
        return (piece,)
    core = piece.strip(_ENDS)
    if not any(character.isalpha() for character in core):  # a number without letters is not a word
        return (core,) if core else ()
    tail = piece.rstrip(_ENDS)
    return tuple(dict.fromkeys((core, tail.translate(_LEET), tail.translate(_LEET_L))))


def shortened(word: str) -> Iterator[str]:
    """Yield the words behind repeated letters: each run of three or more equal letters becomes one or two. Yields nothing without a run."""
    runs = [match.span() for match in _DRAWN_OUT.finditer(word)]
    if not runs:
        return
    for counts in itertools.product((1, 2), repeat=min(len(runs), _DRAWN)):
        parts, end = [], 0
        for number, (start, stop) in enumerate(runs):
            count = counts[number] if number < len(counts) else 1
            parts += [word[end:start], word[start] * count]
            end = stop
        yield "".join(parts) + word[end:]


def spelled_out(words: list[str]) -> Iterator[str]:
    """Yield each run of three or more single letters as one word. This finds words with spaces or dots between the letters."""
    run: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1:
            run.append(word)
            continue
        if len(run) >= 3:
            yield "".join(run)
        run.clear()
