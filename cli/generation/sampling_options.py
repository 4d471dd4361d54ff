"""User-facing names, help and parsing of sampling settings, for `--max-length 200` and for `/set stop . !` in a chat."""

import shlex
from collections.abc import Mapping
from typing import Any

from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling

FIELDS = {  # user-facing name → field of Sampling
    "max-length": "max_new", "min-length": "min_new", "temperature": "temperature", "top-k": "top_k", "top-p": "top_p",
    "repetition-penalty": "repetition_penalty", "stop": "stop", "ban": "banned", "beams": "beams", "length-penalty": "length_penalty",
}  # fmt: skip
NAMES = {field: name for name, field in FIELDS.items()}
LARGEST_SEED = 2**62
HELP = {
    "max-length": "Maximum number of new tokens, 1 to 512.",
    "min-length": "Minimum number of new tokens. Default: 10, or max-length if that is smaller.",
    "temperature": "Randomness, 0.1 (predictable) to 2.0 (wild).",
    "top-k": "Sample from the k most likely tokens, 1 (greedy) to 100; 0 is off.",
    "top-p": "Sample from the most likely tokens with this total probability, 0.1 to 1.0 (off).",
    "repetition-penalty": "Make tokens that already occur less likely, 1.0 (off) to 1.2.",
    "stop": r"Stop after this text, such as . or \n for a line break. Several texts are possible.",
    "ban": "Never write this text, such as a word or a punctuation mark. Several texts are possible.",
    "beams": "Beam search with 3 to 5 beams; 1 is off. It does not sample: temperature, top-k, top-p and seed have no effect.",
    "length-penalty": "For beam search, 0.6 to 1.0: a higher value favours longer texts.",
}


def sampling_of(given: Mapping[str, Any], prefix: str = "") -> Sampling:
    """Return sampling settings from values by field name. The default of `min_new` is lowered to `max_new` if that is smaller.

    Raises:
        BadInput: a value is out of range. The message has the user-facing name with `prefix` before it.
    """
    try:
        return Sampling(**{"min_new": min(Sampling.min_new, given.get("max_new", Sampling.max_new)), **given})
    except BadInput as error:
        message = error.what.replace("max_new", f"{prefix}max-length")
        raise BadInput(message, where=f"{prefix}{NAMES[error.where]}", remedy=error.remedy) from None


def parse_setting(words: str) -> tuple[str, Any]:
    """Parse `temperature 0.6` or `temperature=0.6` into a field name and a value.

    `stop` and `ban` take several texts, such as `stop . "! "`. `stop none` clears the list.

    Raises:
        BadInput: the name is unknown, or the value cannot be parsed.
    """
    name, _, rest = words.strip().replace("=", " ", 1).partition(" ")
    name = name.replace("_", "-")
    if name not in FIELDS:
        raise BadInput(f"unknown setting {name!r}", remedy=f"the settings are {', '.join(FIELDS)}")
    field = FIELDS[name]
    if field in ("stop", "banned"):
        return field, () if rest.strip() == "none" else unescape(_split(name, rest))
    kind = type(getattr(Sampling, field))
    try:
        return field, kind(rest)
    except ValueError:
        expected = "whole number" if kind is int else "number"
        example = f"for example {name}={getattr(Sampling, field)}"
        raise BadInput(f"{rest.strip()!r} is not a {expected}", where=name, remedy=example) from None


def unescape(typed: list[str]) -> tuple[str, ...]:
    r"""Replace the two-character escapes `\n` and `\t` by newline and tab, which are hard to type in a shell or a prompt."""
    return tuple(text.replace("\\n", "\n").replace("\\t", "\t") for text in typed)


def format_setting(value: Any) -> str:
    """Format a value so that `parse_setting` can read it."""
    if not isinstance(value, tuple):
        return str(value)
    return " ".join('"' + text.replace("\n", "\\n").replace("\t", "\\t") + '"' for text in value) or "none"


def _split(name: str, rest: str) -> list[str]:
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    try:
        return list(lexer)
    except ValueError:
        remedy = "close it; to use a quotation mark as a character, write '\"' or \"'\""
        raise BadInput("a quotation mark is not closed", where=name, remedy=remedy) from None
