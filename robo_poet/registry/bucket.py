"""Registry files in Google Cloud Storage, for `registry copy`. It respects STORAGE_EMULATOR_HOST, as the client library does.

A file is created with `if_generation_match=0`: of concurrent writers, exactly one succeeds. A retry after a lost response finds the file
that it has just created. Its content decides whose it is: each log entry has a nonce and a signature.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from robo_poet.errors import BadInput

SECONDS = 30  # for all attempts of a call; the library's default of 120 is long for a mistyped name


class BucketFiles:
    """The files below `gs://bucket/prefix`.

    Raises:
        BadInput: the address has no bucket.
    """

    def __init__(self, address: str) -> None:
        from google.cloud import storage

        bucket, _, prefix = address.removeprefix("gs://").partition("/")
        if not bucket:
            raise BadInput("the bucket name is missing", where=address, remedy="write gs://bucket/prefix")
        self.address = f"gs://{bucket}/{prefix}".rstrip("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        with _errors(self.address):
            self._bucket: Any = storage.Client(project="robo-poet").bucket(bucket)

    def names(self, folder: str, after: str = "") -> list[str]:
        """Return the names of all files below a folder, relative to it, sorted; with `after`, only from this name on."""
        prefix = f"{self._prefix}{folder}/" if folder else self._prefix
        with _errors(self.address):
            found = self._bucket.list_blobs(prefix=prefix, start_offset=prefix + after if after else None, retry=_retry(), timeout=SECONDS)
            return sorted(blob.name[len(prefix) :] for blob in found)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, None if it does not exist."""
        from google.api_core.exceptions import NotFound

        with _errors(self.address):
            try:
                return bytes(self._bucket.blob(self._prefix + name).download_as_bytes(retry=_retry(), timeout=SECONDS))
            except NotFound:
                return None

    def create(self, name: str, data: bytes) -> bool:
        """Create a file; return False if it exists. Of concurrent calls, exactly one returns True."""
        from google.api_core.exceptions import PreconditionFailed

        with _errors(self.address):
            try:
                self._bucket.blob(self._prefix + name).upload_from_string(
                    data, content_type="application/octet-stream", if_generation_match=0, checksum="crc32c", retry=_retry(), timeout=SECONDS
                )
            except PreconditionFailed:
                return False
            return True


class BucketLog:
    """A `LogStore` in a bucket. Looking for new entries lists the names from the newest known one on."""

    def __init__(self, files: BucketFiles, model: str) -> None:
        self._files, self._folder, self._last = files, f"{model}/log", 0

    def last(self) -> int:
        """Return the highest index, 0 if there is no entry."""
        known = f"{self._last:08d}.json" if self._last else ""
        indices = _indices(self._files.names(self._folder, known)) or (_indices(self._files.names(self._folder)) if known else [])
        self._last = max(indices, default=0)
        return self._last

    def read(self, index: int) -> bytes | None:
        """Return the bytes of an entry, None if it does not exist."""
        return self._files.read(f"{self._folder}/{index:08d}.json")

    def create(self, index: int, data: bytes) -> bool:
        """Create an entry; return False if it exists already."""
        return self._files.create(f"{self._folder}/{index:08d}.json", data)

    def where(self, index: int) -> str:
        """Return the address of an entry."""
        return f"{self._files.address}/{self._folder}/{index:08d}.json"


def _indices(names: list[str]) -> list[int]:
    return [int(name[:-5]) for name in names if re.fullmatch(r"\d{8,}\.json", name, re.ASCII)]


def _retry() -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(SECONDS)


@contextmanager
def _errors(address: str) -> Iterator[None]:
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound, PreconditionFailed
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except NotFound:
        raise BadInput("there is no such bucket", where=address, remedy="create it, or check the name") from None
    except Forbidden:
        raise BadInput("you have no permission for this bucket", where=address, remedy="ask for the role Storage Object User") from None
    except PreconditionFailed:
        raise  # handled by the caller
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        first = (str(error).strip().splitlines() or ["no answer"])[0][:300]
        raise BadInput(f"the bucket cannot be reached: {first}", where=address, remedy="check the network and the credentials") from None
