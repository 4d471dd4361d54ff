"""Numbers that came from files, and numbers in words."""

import math


def finite(value: object) -> float | None:
    """`value` as a float if it is a finite number. JSON may bring anything; True is no measurement."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        return None
    return number if math.isfinite(number) else None


def text(value: object) -> str:
    """As short as it can be without losing anything; what is no finite number as it is."""
    number = finite(value)
    if number is None:
        return str(value)
    return f"{number:.0f}" if abs(number) < 1e15 and number == int(number) else repr(number)
