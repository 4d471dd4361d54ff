"""Names of slices, as evaluation writes them: "author=Shakespeare", "author=Shakespeare,period=1600s"; "author=*" is each author, "" is all
(EVAL-5).

A value has its commas, signs of equality and stars percent-encoded, so a name has one reading: `robo_poet.evaluation.slice_key`.
"""

import re
from collections.abc import Iterable

_FEATURE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def parse_slice(key: str) -> dict[str, str]:
    """The values by feature, encoded as they are; a wildcard has "*". A value may be empty: documents that say nothing of it.

    Raises:
        ValueError: no such name, or a feature twice.
    """
    found: dict[str, str] = {}
    for part in key.split(",") if key else []:
        name, sign, value = part.partition("=")
        name = name.strip()
        if not (sign and _FEATURE.match(name)) or "=" in value:
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
