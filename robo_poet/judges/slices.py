"""Names of slices: "author=Shakespeare", "author=Shakespeare,period=1600", and "author=*" for each author (EVAL-5). "" is everything.

A value may hold commas and signs of equality; only a comma that a feature's name and "=" follow begins a new part.
"""

import re
from collections.abc import Iterable, Mapping

_FEATURE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NEXT = re.compile(r",\s*(?=[A-Za-z_][A-Za-z0-9_]*=)")


def slice_key(features: Mapping[str, str]) -> str:
    """The name of the slice with these values, features in the order of the alphabet.

    Raises:
        ValueError: a feature's name that is none, or a value that would be read back as something else.
    """
    key = ",".join(f"{name}={features[name]}" for name in sorted(features))
    if features and parse_slice(key) != dict(features):
        raise ValueError(f"{key!r} does not name a slice that can be read back")
    return key


def parse_slice(key: str) -> dict[str, str]:
    """The values by feature; a wildcard has "*".

    Raises:
        ValueError: no such name, or a feature twice.
    """
    found: dict[str, str] = {}
    for part in _NEXT.split(key) if key else []:
        name, sign, value = part.partition("=")
        if not (sign and value and _FEATURE.match(name)):
            raise ValueError(f"{part!r} is not feature=value")
        if name in found:
            raise ValueError(f"{name} is there twice")
        found[name] = value
    return found


def select(wanted: str, keys: Iterable[str]) -> list[str]:
    """Those of `keys` that `wanted` names, whatever the order of their features, sorted; keys that are no name are left out.

    Raises:
        ValueError: `wanted` is no name.
    """
    pattern = parse_slice(wanted)

    def named(key: str) -> bool:
        try:
            found = parse_slice(key)
        except ValueError:
            return False
        return found.keys() == pattern.keys() and all(value in ("*", found[name]) for name, value in pattern.items())

    return sorted(filter(named, set(keys)))
