"""A clock that a test moves by hand."""


class ManualClock:
    """Seconds since 1970; `now` changes only when a test sets it."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now
