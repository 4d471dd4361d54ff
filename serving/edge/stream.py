"""Streaming of the generated text. Text that was yielded is never changed later."""

from collections.abc import Iterable, Iterator, Sequence

from robo_poet.model.tokenizer import Tokenizer

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


def stream(tokenizer: Tokenizer, tokens: Iterable[int], stop: Sequence[str] = (), least: int = 0) -> Iterator[str]:
    """Yield the text of `tokens` in pieces, up to the end of the first stop text. Without a stop text, the pieces are the full decoding.

    Text is held back while its last token ends inside a character, and while its end may be the start of a stop text.

    Args:
        stop: texts after which the stream ends.
        least: a stop text that ends within this number of tokens is ignored (GEN-2, minimum length).
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
    """Return the smallest end position after `earliest` of any stop text, or None."""
    found = ((text.find(one, max(0, earliest - len(one) + 1)), len(one)) for one in stop)
    return min((at + length for at, length in found if at >= 0), default=None)


def _open(text: str, stop: Sequence[str]) -> int:
    """Return the length of the longest suffix of `text` that is a proper prefix of a stop text."""
    return max((n for one in stop for n in range(1, len(one)) if text.endswith(one[:n])), default=0)
