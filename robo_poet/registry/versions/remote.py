"""What a bucket does for the parts of a registry whose folder on this machine is only a cache. `storage.mirror.Mirror` implements it."""

from collections.abc import Collection
from typing import Protocol


class Remote(Protocol):
    """The bucket that holds a model. All methods raise `Unavailable` if it cannot be used, and `Corrupt` if it has another content."""

    def fetch(self, digest: str, names: Collection[str] | None = None) -> None:
        """Make files of a version (None: all), and its manifest, present in its folder, with the registered content."""

    def check(self, digest: str) -> None:
        """Check that the bucket holds exactly the registered files of a version, and fetch them."""

    def version_address(self, digest: str) -> str:
        """Return the address of a version, for messages."""

    def fetch_file(self, name: str, sha256: str, *, again: bool = False) -> None:
        """Make a file of the model with this SHA-256 present in the folder; with `again`, from the bucket, also if the cache has it."""

    def store_file(self, name: str, data: bytes) -> None:
        """Store a file of the model in the bucket and in the folder. It is safe to repeat."""
