"""What a call may fail with, in TensorFlow Serving's words: a code that gRPC and HTTP both have a name for."""

from enum import Enum


class Code(Enum):
    """Name of the gRPC status, and the HTTP status that stands for it."""

    INVALID_ARGUMENT = 400
    NOT_FOUND = 404
    FAILED_PRECONDITION = 412
    UNAVAILABLE = 503
    DEADLINE_EXCEEDED = 504
    CANCELLED = 499  # never sent: nobody is there to read it
    INTERNAL = 500


class CallError(Exception):
    """A call that is not answered with tensors."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Unloaded(CallError):
    """The version went between being chosen and being called; whoever did not ask for this very one chooses again."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE, "this version is being unloaded")
