"""Cron expressions as Kubeflow reads them: six fields, seconds first (github.com/robfig/cron, version 1)."""

import re

from robo_poet.errors import BadInput

FIELDS = (
    ("second", 0, 59, ()), ("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day of month", 1, 31, ()),
    ("month", 1, 12, tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())),
    ("day of week", 0, 6, tuple("sun mon tue wed thu fri sat".split())),
)  # fmt: skip
_EXAMPLE = "for example '0 30 3 * * MON', Mondays at half past three"


def check_cron(expression: str) -> str:
    """The expression in its plainest form.

    Raises:
        BadInput: not six fields, or one out of range; names the field.
    """
    parts = expression.split()
    if len(parts) != len(FIELDS):
        hint = f"; a cron of five fields needs the seconds before it: '0 {' '.join(parts)}'" if len(parts) == 5 else f"; {_EXAMPLE}"
        raise BadInput(
            f"has {len(parts)} fields, Kubeflow's cron has six: second, minute, hour, day, month, weekday{hint}",
            where=f"cron {expression!r}",
        )
    for part, (name, low, high, words) in zip(parts, FIELDS, strict=True):
        for one in part.split(","):
            if not _is_range(one.lower(), low, high, words):
                raise BadInput(f"{one!r} is no {name}", where=f"cron {expression!r}", remedy=f"{low} to {high}, *, a-b, */n; {_EXAMPLE}")
    return " ".join(parts)


def _is_range(text: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = re.fullmatch(r"(\*|\?|[a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?(?:/(\d{1,2}))?", text)
    if not match:
        return False
    first, last, step = match.groups()
    if step is not None and int(step) == 0:
        return False
    if first in "*?":
        return last is None
    ends = [words.index(end) + low if end in words else int(end) if end.isdigit() else -1 for end in (first, last or first)]
    return low <= ends[0] <= ends[1] <= high
