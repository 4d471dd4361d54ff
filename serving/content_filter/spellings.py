"""What a written word may mean: digits and signs for letters, letters drawn out, signs in between."""

import itertools
import re
from collections.abc import Iterator

_LEET = str.maketrans("013456789@$!|+", "oieasgtbgasiit")
_LEET_L = str.maketrans("013456789@$!|+", "oleasgtbgasllt")  # 1, ! and | are also an l
_PIECE = re.compile(r"(?:[^\W_]|[@$!|+*])+")
_ENDS = "!|+*"  # after a word these are punctuation
_DRAWN_OUT = re.compile(r"(.)\1\1+")
_DRAWN = 4  # drawn-out letters of a word that are tried both ways: 16 spellings


def pieces(chunk: str) -> list[str]:
    """Words of a folded text without spaces; signs that may stand for letters stay."""
    return [chunk] if chunk.isalpha() else _PIECE.findall(chunk)


def spellings(piece: str) -> tuple[str, ...]:
    """The words that a piece may be, plainest first: itself without punctuation, with letters for digits and signs. Three at most."""
    if piece.isalpha() or len(piece) == 1:
        return (piece,)
    core = piece.strip(_ENDS)
    if not any(sign.isalpha() for sign in core):  # a number is a number
        return (core,) if core else ()
    tail = piece.rstrip(_ENDS)
    return tuple(dict.fromkeys((core, tail.translate(_LEET), tail.translate(_LEET_L))))


def shortened(word: str) -> Iterator[str]:
    """What a drawn-out word stands for: each letter that stands three times or more, once and twice; nothing where there is none."""
    runs = [found.span() for found in _DRAWN_OUT.finditer(word)]
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
    """Runs of three and more single letters, as one word each: what is written with spaces or dots between its letters."""
    run: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1:
            run.append(word)
            continue
        if len(run) >= 3:
            yield "".join(run)
        run.clear()
