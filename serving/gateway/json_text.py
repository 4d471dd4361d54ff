"""What is wrong with a text that should be one object of JSON, in words that say where. Pure."""

import json
import re
from collections.abc import Sequence
from typing import Any

from serving.gateway.refusals import half_pair
from serving.refusal import Refused

_HALF = re.compile("[\ud800-\udfff]")


def check_json(text: str) -> None:
    """Look for what the reader of fields (Pydantic's) cannot name, or does not mind: it takes the last of two equal names.

    Raises:
        Refused: 400, it is empty, no JSON, or has a name twice; 422, a text holds half a surrogate pair.
    """
    if not text.strip():
        raise Refused(400, "invalid_json", "the body is empty; send one object of JSON")
    try:
        # Numbers are read later, and strictly: here a long one would only cost time.
        value = json.loads(text, object_pairs_hook=_once, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        told = f"{error.msg[:1].lower()}{error.msg[1:]}".strip(" :").removesuffix(" at")
        raise Refused(400, "invalid_json", f"the body is not JSON, at character {error.pos + 1}: {told}") from None
    except RecursionError:
        raise Refused(400, "invalid_json", "the body is nested too deep; send one plain object") from None
    if "\\u" in text and isinstance(value, dict):  # raw, a half would be no UTF-8
        for name, held in value.items():
            _whole(name, held)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise Refused(400, "invalid_json", f"{_HALF.sub('?', name[:64])}: the body has this field twice; send it once")
    return found


def _whole(name: str, value: Any) -> None:
    if isinstance(value, str) and _HALF.search(value):
        raise half_pair(name)
    for number, one in enumerate(value if isinstance(value, list) else ()):
        _whole(f"{name}.{number}", one)
