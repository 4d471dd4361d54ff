"""Text of a model on its way to the screen or a pipe: as it is written, and never half a character."""

import sys
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console

from robo_poet.errors import BadInput
from robo_poet.model.completion import Completion, whole
from robo_poet.model.limits import MAX_LENGTH, StopReason
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.plain import plain

ENDINGS = {
    StopReason.LENGTH: "",
    StopReason.END: "the model ended the text",
    StopReason.STOP: "stopped at a stop text",
    StopReason.CONTEXT: f"the context of {MAX_LENGTH} tokens is full",
}


def write(text: str, style: str = "") -> None:
    """Text on standard output at once, in its own lines whatever the terminal's width; `style` is for terminals alone."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal of another encoding gets a question mark
    Console(highlight=False).out(plain(text), style=style or None, end="", highlight=False)
    sys.stdout.flush()


def note(line: str, style: str = "dim") -> None:
    """A line about the text, on standard error, so that a pipe holds the text alone."""
    Console(stderr=True, highlight=False, emoji=False, soft_wrap=True).print(plain(line), style=style, markup=False)


def flow(written: Iterable[Completion], stopped: Callable[[], bool] = lambda: False) -> Completion:
    """Show a growing completion until its end, or until `stopped`; returns what was shown last."""
    shown = ""
    last = Completion("", [], [], StopReason.LENGTH)
    for last in written:
        text = whole(last.text)
        write(text[len(shown) :])
        shown = text
        if stopped():
            break
    return last


def speed(tokens: int, seconds: float) -> str:
    """How much was written, and how fast."""
    many = "1 token" if tokens == 1 else f"{tokens} tokens"
    return f"{many} · {tokens / seconds:,.0f} tokens/s" if seconds > 0 else many


def check_banned(model: LoadedModel, sampling: Sampling, prefix: str = "") -> None:
    """Refuse to seem to ban what the model cannot be kept from: a text that no token holds.

    Raises:
        BadInput: there is such a text.
    """
    for text in sampling.banned:
        if not model.tokenizer.holding([text]):
            raise BadInput(f"no token holds {text!r}, so it cannot be banned", where=f"{prefix}ban", remedy="give a shorter piece of it")


def slipped(sampling: Sampling, texts: Sequence[str]) -> list[str]:
    """Banned texts that were written all the same, out of tokens that hold a part each."""
    return [banned for banned in sampling.banned if any(banned in text for text in texts)]
