"""Names that a message may quote of a user's data. Messages end up in logs, events and reports, so they never quote text."""

NAME = 80  # characters; longer strings are not names


def quotable(name: str, otherwise: str = "a document with an id that is no name") -> str:
    """Return `name` if it is short and on one line, as a name is; else return `otherwise`."""
    return name if len(name) <= NAME and name.isprintable() else otherwise
