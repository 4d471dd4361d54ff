"""Finite numbers from untyped input, and numbers as text."""

import math


def finite(value: object) -> float | None:
    """Return `value` as a float if it is a finite number, else None. Input may be any JSON value; a bool is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        return None
    return number if math.isfinite(number) else None


def text(value: object) -> str:
    """Format a number with the fewest digits that keep its value. Non-finite numbers and other values are returned as `str`."""
    number = finite(value)
    if number is None:
        return str(value)
    return f"{number:.0f}" if abs(number) < 1e15 and number == int(number) else repr(number)
