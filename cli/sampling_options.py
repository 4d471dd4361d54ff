"""Settings of a completion as people name and write them: `--max-length 200` on the command line, `/set stop . !` in a chat."""

import shlex
from collections.abc import Mapping
from typing import Any

from robo_poet.errors import BadInput
from robo_poet.model.sampling import Sampling

FIELDS = {  # what people call it → the field of Sampling
    "max-length": "max_new", "min-length": "min_new", "temperature": "temperature", "top-k": "top_k", "top-p": "top_p",
    "repetition-penalty": "repetition_penalty", "stop": "stop", "ban": "banned", "beams": "beams", "length-penalty": "length_penalty",
}  # fmt: skip
NAMES = {field: name for name, field in FIELDS.items()}
HELP = {
    "max-length": "Tokens to write at most, 1 to 512.",
    "min-length": "Tokens to write at least; 10 if there is room for them.",
    "temperature": "0.1 (plain) to 2.0 (wild).",
    "top-k": "Draw from the k likeliest tokens, to 100; 0 is off, 1 is greedy.",
    "top-p": "Draw from the likeliest tokens of this mass together, 0.1 to 1.0.",
    "repetition-penalty": "Make what was said less likely, 1.0 (off) to 1.2.",
    "stop": r"Stop behind this text, such as . or \n (a line's end); several may be given.",
    "ban": "Write no token that holds this text, such as a sign or a word; several may be given.",
    "beams": "Beam search with 3 to 5 beams: no draw, so temperature, top-k, top-p and seed mean nothing. 1 is off.",
    "length-penalty": "Of beam search, 0.6 to 1.0: higher favours longer texts.",
}


def sampling_of(given: Mapping[str, Any], prefix: str = "") -> Sampling:
    """Settings from those that were given, by field; the least length follows a small greatest one unless it was given.

    Raises:
        BadInput: a value out of range, under the name that people know, behind `prefix`.
    """
    try:
        return Sampling(**{"min_new": min(Sampling.min_new, given.get("max_new", Sampling.max_new)), **given})
    except BadInput as error:
        what = error.what.replace("max_new", f"{prefix}max-length")
        raise BadInput(what, where=f"{prefix}{NAMES[error.where]}", remedy=error.remedy) from None


def parse_setting(words: str) -> tuple[str, Any]:
    """Field and value of `temperature 0.6` or `temperature=0.6`; of `stop . "! "` all that stands there, of `stop none` nothing.

    Raises:
        BadInput: no setting of that name, or no such value.
    """
    name, _, rest = words.strip().replace("=", " ", 1).partition(" ")
    name = name.replace("_", "-")
    if name not in FIELDS:
        raise BadInput(f"no setting is called {name!r}", remedy=f"there are {', '.join(FIELDS)}")
    field = FIELDS[name]
    if field in ("stop", "banned"):
        return field, () if rest.strip() == "none" else texts(_split(name, rest))
    kind = type(getattr(Sampling, field))
    try:
        return field, kind(rest)
    except ValueError:
        wanted = "whole number" if kind is int else "number"
        raise BadInput(f"{rest.strip()!r} is no {wanted}", where=name, remedy=HELP[name].rstrip(".")) from None


def texts(written: list[str]) -> tuple[str, ...]:
    r"""What `\n` and `\t` stand for put in their place: a shell and a prompt take neither as they are."""
    return tuple(text.replace("\\n", "\n").replace("\\t", "\t") for text in written)


def shown(value: Any) -> str:
    """A setting's value, as `parse_setting` reads it."""
    if not isinstance(value, tuple):
        return str(value)
    return " ".join('"' + text.replace("\n", "\\n").replace("\t", "\\t") + '"' for text in value) or "none"


def _split(name: str, rest: str) -> list[str]:
    reader = shlex.shlex(rest, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.commenters, reader.escape = True, "", ""
    try:
        return list(reader)
    except ValueError:
        raise BadInput("a quotation mark is not closed", where=name, remedy="""write '"' or "'" to mean the mark itself""") from None
