"""Text as its tokens come: what is shown is never taken back."""

from collections.abc import Iterable, Iterator, Sequence

from robo_poet.model.tokenizer import Tokenizer

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


def stream(tokenizer: Tokenizer, tokens: Iterable[int], stop: Sequence[str] = (), least: int = 0) -> Iterator[str]:
    """Pieces of the text of `tokens`, up to the end of the first stop text in it; without one they are exactly its decoding.

    A token may end within a character, and a text may begin as a stop text does: both wait for what follows.

    Args:
        stop: texts after which nothing more is shown.
        least: a stop text that ends within so many tokens is text like any other (GEN-2, the shortest length).
    """
    text, shown, earliest = "", 0, 0
    waiting: list[int] = []
    for number, token in enumerate(tokens, 1):
        waiting.append(token)
        piece = tokenizer.decode(waiting)
        if not piece.endswith(_UNFINISHED):
            text, waiting = text + piece, []
        if number <= least:
            earliest = len(text)
        end = _end(text, stop, earliest)
        if end is not None:
            yield text[shown:end]
            return
        sure = len(text) - _open(text, stop)
        if sure > shown:
            yield text[shown:sure]
            shown = sure
    text += tokenizer.decode(waiting)
    rest = text[shown : _end(text, stop, earliest)]
    if rest:
        yield rest


def _end(text: str, stop: Sequence[str], earliest: int) -> int | None:
    """Where the first stop text ends that ends behind `earliest`."""
    found = ((text.find(one, max(0, earliest - len(one) + 1)), len(one)) for one in stop)
    return min((at + length for at, length in found if at >= 0), default=None)


def _open(text: str, stop: Sequence[str]) -> int:
    """Characters at the end of `text` that a stop text may have begun with."""
    return max((n for one in stop for n in range(1, len(one)) if text.endswith(one[:n])), default=0)
