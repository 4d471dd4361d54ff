"""Terminal output of generated text and of notes about it, and Ctrl-C that stops one answer. Text is streamed in whole characters."""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from robo_poet.display import terminal_text
from robo_poet.model.completion import MAX_LENGTH, Completion, StopReason, without_partial_character

ENDINGS = {
    StopReason.LENGTH: "",
    StopReason.END: "the model ended the text",
    StopReason.STOP: "a stop text was reached",
    StopReason.CONTEXT: f"the context of {MAX_LENGTH} tokens is full",
}


def write(text: str, style: str = "") -> None:
    """Write text to standard output and flush it. Lines are not wrapped. `style` applies only on a terminal."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal with another encoding shows a question mark
    Console(highlight=False).out(terminal_text(text), style=style or None, end="", highlight=False)
    sys.stdout.flush()


def note(line: str, style: str = "dim") -> None:
    """Print a line about the text on standard error, so that a pipe gets only the text."""
    Console(stderr=True, highlight=False, emoji=False, soft_wrap=True).print(terminal_text(line), style=style, markup=False)


def stream_text(states: Iterable[Completion], stopped: Callable[[], bool] = lambda: False) -> Completion:
    """Print a completion while it grows, until it ends or `stopped` returns True; return its last state."""
    printed = ""
    completion = Completion("", [], [], StopReason.LENGTH)
    for completion in states:
        text = without_partial_character(completion.text)
        write(text[len(printed) :])
        printed = text
        if stopped():
            break
    return completion


def speed(tokens: int, seconds: float) -> str:
    """Format the number of tokens and the tokens per second."""
    amount = "1 token" if tokens == 1 else f"{tokens} tokens"
    return f"{amount} · {tokens / seconds:,.0f} tokens/s" if seconds > 0 else amount


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Catch Ctrl-C and yield a function that returns True after the first one. The second one raises KeyboardInterrupt.

    The first Ctrl-C raises nothing, so that it cannot break a call into TensorFlow.
    """
    pressed = False

    def handle(signal_number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    previous_handler = signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, previous_handler)
