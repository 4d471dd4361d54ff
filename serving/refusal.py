"""The exception for a refused request, with a message that the client may see."""

from collections.abc import Mapping
from types import MappingProxyType


class Refused(Exception):
    """A refused request.

    Args:
        status: HTTP status, 400 or higher.
        code: stable error code for programs, such as `rate_limited`.
        message: the error and how to fix it, without internal details.
        headers: response headers, such as `Retry-After`.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers
