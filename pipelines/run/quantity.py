"""Quantities in Kubernetes notation: `500m` cores, `4Gi` bytes."""

import re

from robo_poet.errors import BadInput

_FORM = re.compile(r"(\d+(?:\.\d+)?)(m|[KMGTP]i?|k)?")
_FACTORS = {"": 1.0, "m": 1e-3, "k": 1e3, **{unit: 1000.0**n for n, unit in enumerate("KMGTP", 1)}}
_FACTORS |= {f"{unit}i": 1024.0**n for n, unit in enumerate("KMGTP", 1)}


def quantity(text: str, where: str) -> float:
    """Return the value of a quantity, in cores or bytes.

    Args:
        where: name of the setting, for the error message.

    Raises:
        BadInput: the text is not a quantity.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise BadInput(f"'{text}' is not a quantity", where=where, remedy="write it like 2, 500m or 4Gi")
    return float(match[1]) * _FACTORS[match[2] or ""]
