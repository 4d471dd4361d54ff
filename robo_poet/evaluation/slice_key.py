"""Keys of slices, such as `author=John Keats,period=1800s`. Gates refer to a slice by its key (EVAL-5, EVAL-6)."""

import re
from collections.abc import Mapping

OVERALL = ""
SPECIAL = re.compile(r"[%=,*\x00-\x1f\x7f]")  # in a gate, `*` matches every value


def slice_key(values: Mapping[str, str]) -> str:
    """Return `column=value` pairs, sorted by column and joined by commas; '' for all documents.

    `%`, `=`, `,`, `*` and control characters in a value are percent-encoded, so that no two slices have the same key:
    `Marlowe, Christopher` becomes `author=Marlowe%2C Christopher`.
    """
    return ",".join(f"{column}={SPECIAL.sub(_encoded, values[column])}" for column in sorted(values))


def _encoded(match: re.Match[str]) -> str:
    return f"%{ord(match.group()):02X}"
