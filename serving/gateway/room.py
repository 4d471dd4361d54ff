"""Places among the requests that are answered now: more are turned away at once, which is better than all of them slow (SERVE-1)."""

from collections.abc import Iterator
from contextlib import contextmanager

from serving.refusal import Refused

RETRY_SECONDS = 1  # told to whom is turned away: by then every place has been given anew, or nearly


class Room:
    """So many places.

    Args:
        places: requests at a time.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0

    @property
    def full(self) -> bool:
        """There is no place now."""
        return self._taken >= self._places

    @contextmanager
    def place(self) -> Iterator[None]:
        """One place, until the block ends.

        Raises:
            Refused: 503, there is none.
        """
        if self.full:
            raise overloaded()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


def overloaded() -> Refused:
    """There is no place."""
    told = f"too many are writing just now; try again in {RETRY_SECONDS} s"
    return Refused(503, "overloaded", told, {"Retry-After": str(RETRY_SECONDS)})
