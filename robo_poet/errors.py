"""The error a person can act on. Everything else that escapes a program is a defect of ours."""


class BadInput(Exception):
    """Something the caller gave us cannot be used.

    Args:
        what: what is wrong, without a full stop ("the file is empty").
        where: the file, record or key it is wrong in.
        remedy: what the reader can do about it.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        line = f"{where}: {what}" if where else what
        super().__init__(" ".join(f"{line}; {remedy}".split()) if remedy else " ".join(line.split()))
