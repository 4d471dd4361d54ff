"""The error that a user can act on. Any other exception that leaves a program is a bug."""


class BadInput(Exception):
    """An input that cannot be used.

    Args:
        what: what is wrong, without a full stop ("the file is empty").
        where: the file, record or key with the problem.
        remedy: what the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        line = f"{where}: {what}" if where else what
        super().__init__(" ".join(f"{line}; {remedy}".split()) if remedy else " ".join(line.split()))
