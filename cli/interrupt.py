"""A context manager in which Ctrl-C stops one answer instead of the program."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


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
