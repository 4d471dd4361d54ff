"""What a message may say of a user's data: names, never text. Messages live on in logs, events and reports."""

NAME = 80  # characters; what is longer is no name


def quotable(name: str, otherwise: str = "a document with an id that is no name") -> str:
    """`name` if it has the shape of one (short, in one line), else `otherwise`."""
    return name if len(name) <= NAME and name.isprintable() else otherwise
