"""What the gateway refuses, in words that the reader may see."""

from collections.abc import Mapping
from types import MappingProxyType


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: HTTP status, from 400.
        code: a word for machines, such as `rate_limited`; stable.
        message: what is wrong and how to mend it; nothing of our insides.
        headers: such as `Retry-After`.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers
