"""Errors of the registry. All except `Lost` are for users: one line, with a remedy where there is one."""

from robo_poet.errors import BadInput


class Corrupt(BadInput):
    """A log entry or a file of a version differs from what was written."""


class Conflict(BadInput):
    """Another writer changed the registry between our read and our change."""


class IllegalMove(BadInput):
    """The stage of the version does not allow this change."""


class NoSuchVersion(BadInput):
    """No version has this number."""


class Lost(Exception):
    """Another writer took this index of the log; the caller reads and decides again. `Registry` never raises it."""
