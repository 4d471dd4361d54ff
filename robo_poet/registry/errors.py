"""What can go wrong with a registry. All but `Lost` are for a person: one line, with a remedy where there is one."""

from robo_poet.errors import BadInput


class Corrupt(BadInput):
    """A log entry or a version's file is not what was written."""


class Conflict(BadInput):
    """Somebody else changed the registry between our look at it and our move."""


class IllegalMove(BadInput):
    """The version's stage does not allow this move."""


class NoSuchVersion(BadInput):
    """No version has this number."""


class Lost(Exception):
    """Another writer took this index of the log: read again and decide again. Never reaches a caller of `Registry`."""
