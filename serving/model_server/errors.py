"""Errors of a call. Each has a code with a gRPC and an HTTP status, as in TensorFlow Serving."""

from enum import Enum


class Code(Enum):
    """Status codes. The name is the gRPC status, the value is the HTTP status."""

    INVALID_ARGUMENT = 400
    PERMISSION_DENIED = 403
    NOT_FOUND = 404
    FAILED_PRECONDITION = 412
    UNAVAILABLE = 503
    DEADLINE_EXCEEDED = 504
    CANCELLED = 499  # never sent, because the client is gone
    INTERNAL = 500


class CallError(Exception):
    """A failed call.

    Args:
        code: gRPC and HTTP status.
        message: text for the client.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Unloaded(CallError):
    """The version was unloaded after it was chosen. A call that did not name this version chooses again."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE, "this version is being unloaded")
