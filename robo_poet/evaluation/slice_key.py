"""The name of a slice, such as `author=John Keats,period=1800s`: what a gate names it by (EVAL-5, EVAL-6)."""

import re
from collections.abc import Mapping

OVERALL = ""
SPECIAL = re.compile(r"[%=,*\x00-\x1f\x7f]")  # `*` stands for every value in a gate


def slice_key(values: Mapping[str, str]) -> str:
    """`column=value`, columns in alphabetical order with commas between; '' for all documents.

    `%`, `=`, `,`, `*` and control characters of a value are percent-encoded, so that no two slices have one key:
    `Marlowe, Christopher` is `author=Marlowe%2C Christopher`.
    """
    return ",".join(f"{column}={SPECIAL.sub(_encoded, values[column])}" for column in sorted(values))


def _encoded(found: re.Match[str]) -> str:
    return f"%{ord(found.group()):02X}"
