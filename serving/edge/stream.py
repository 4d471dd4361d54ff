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
    text, yielded, stop_from = "", 0, 0
    undecoded: list[int] = []
    for number, token in enumerate(tokens, 1):
        undecoded.append(token)
        piece = tokenizer.decode(undecoded)
        if not piece.endswith(_UNFINISHED):
            text, undecoded = text + piece, []
        if number <= least:
            stop_from = len(text)
        end = _end(text, stop, stop_from)
        if end is not None:
            yield text[yielded:end]
            return
        safe_end = len(text) - _open(text, stop)
        if safe_end > yielded:
            yield text[yielded:safe_end]
            yielded = safe_end
    text += tokenizer.decode(undecoded)
    rest = text[yielded : _end(text, stop, stop_from)]
    if rest:
        yield rest


def _end(text: str, stop: Sequence[str], earliest: int) -> int | None:
    """Return the smallest end position after `earliest` of any stop text, or None."""
    matches = ((text.find(stop_text, max(0, earliest - len(stop_text) + 1)), len(stop_text)) for stop_text in stop)
    return min((start + length for start, length in matches if start >= 0), default=None)


def _open(text: str, stop: Sequence[str]) -> int:
    """Return the length of the longest suffix of `text` that is a proper prefix of a stop text."""
    return max((n for stop_text in stop for n in range(1, len(stop_text)) if text.endswith(stop_text[:n])), default=0)
