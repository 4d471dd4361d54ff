"""Keys of slices, as the evaluation writes them: "author=Shakespeare" or "author=Shakespeare,period=1600s" (EVAL-5).

"author=*" selects each author; "" is all texts. Commas, equals signs and stars in a value are percent-encoded by
`robo_poet.evaluation.slice_key`, so a key can be parsed in one way only.
"""

import re
from collections.abc import Iterable

_FEATURE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def parse_slice(key: str) -> dict[str, str]:
    """Return the values by feature, still encoded; a wildcard has "*". A value may be empty: documents without that feature.

    Raises:
        ValueError: not a slice key, or a feature appears twice.
    """
    features: dict[str, str] = {}
    for pair in key.split(",") if key else []:
        name, sign, value = pair.partition("=")
        name = name.strip()
        if not (sign and _FEATURE.match(name)) or "=" in value:
            raise ValueError(f"{pair!r} is not feature=value")
        if name in features:
            raise ValueError(f"{name} is there twice")
        features[name] = value
    return features


def select(wanted: str, keys: Iterable[str]) -> list[str]:
    """Return the keys that `wanted` matches, in any order of their features, sorted. Keys that cannot be parsed are skipped.

    Raises:
        ValueError: `wanted` is not a slice key.
    """
    pattern = parse_slice(wanted)

    def named(key: str) -> bool:
        try:
            features = parse_slice(key)
        except ValueError:
            return False
        return features.keys() == pattern.keys() and all(value in ("*", features[name]) for name, value in pattern.items())

    return sorted(filter(named, set(keys)))
