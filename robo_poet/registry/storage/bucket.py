"""The files of a registry in Google Cloud Storage. It respects STORAGE_EMULATOR_HOST, as the client library does.

A file is created with `if_generation_match=0`: of concurrent writers, exactly one succeeds. A retry after a lost response finds the file
that it has just created. Its content decides whose it is: each log entry has a nonce and a signature.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput

SECONDS = 10  # for all attempts to list, read or remove; programs that look regularly wait as long for a bucket that does not answer
TRANSFER_SECONDS = 60  # for all attempts to store or fetch a file
SILENT_SECONDS, SILENT_TRANSFER_SECONDS = 4, 15  # of one attempt without a byte, so that another one follows


class Unavailable(BadInput):
    """A bucket does not exist, refuses access, or cannot be reached, or its cache cannot be written. It may work later."""


@dataclass(frozen=True)
class StoredFile:
    """A file in a bucket, from a listing.

    Args:
        generation: number of its content. A new content has another one.
        md5: MD5 of its content, base64; empty where the bucket does not list it, such as with customer-managed keys.
        size: bytes.
    """

    generation: int
    md5: str
    size: int


class BucketFiles:
    """The files below `gs://bucket/prefix`.

    Raises:
        BadInput: the address has no bucket.
        Unavailable: also raised by the methods.
    """

    def __init__(self, address: str) -> None:
        # Otherwise the library asks for metadata of the bucket, for traces that nobody reads. The role Storage Object User may not.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        from google.cloud import storage

        bucket, _, prefix = address.removeprefix("gs://").partition("/")
        if not bucket:
            raise BadInput("the bucket name is missing", where=address, remedy="write gs://bucket/prefix")
        self.address = f"gs://{bucket}/{prefix}".rstrip("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        with _errors(self.address):
            self._bucket: Any = storage.Client(project="robo-poet").bucket(bucket)

    def names(self, folder: str) -> list[str]:
        """Return the names of all files below a folder, relative to it, sorted."""
        return sorted(self.listed(folder))

    def listed(self, folder: str, after: str = "") -> dict[str, StoredFile]:
        """Return the files below a folder by their names relative to it; with `after`, only from this name on. One request per 1,000."""
        prefix = self._below(folder)
        with _errors(self.address):
            blobs = self._bucket.list_blobs(
                prefix=prefix, start_offset=prefix + after if after else None, retry=_retry(), timeout=SILENT_SECONDS
            )
            return {
                blob.name[len(prefix) :]: StoredFile(int(blob.generation or 0), str(blob.md5_hash or ""), int(blob.size or 0))
                for blob in blobs
            }

    def folders(self, folder: str) -> list[str]:
        """Return the names of the folders directly below a folder, sorted."""
        prefix = self._below(folder)
        with _errors(self.address):
            blobs = self._bucket.list_blobs(prefix=prefix, delimiter="/", retry=_retry(), timeout=SILENT_SECONDS)
            for _ in blobs:
                pass  # the folders are known when all pages were read
            return sorted(name[len(prefix) : -1] for name in blobs.prefixes)

    def read(self, name: str, generation: int = 0) -> bytes | None:
        """Return the content of a file, None if it does not exist; with `generation`, None also if it has another content by now."""
        from google.api_core.exceptions import NotFound

        with _errors(self.address):
            try:
                blob = self._bucket.blob(self._prefix + name, generation=generation or None)
                return bytes(blob.download_as_bytes(retry=_retry(), timeout=SILENT_SECONDS))
            except NotFound:
                return None

    def download(self, name: str, target: Path) -> bool:
        """Write the content of a file to `target`; return False if the file does not exist."""
        from google.api_core.exceptions import NotFound

        with _errors(self.address):
            try:
                self._bucket.blob(self._prefix + name).download_to_filename(
                    str(target), retry=_retry(TRANSFER_SECONDS), timeout=SILENT_TRANSFER_SECONDS
                )
            except NotFound:
                return False
            return True

    def create(self, name: str, data: bytes) -> bool:
        """Create a file; return False if it exists. Of concurrent calls, exactly one returns True."""
        from google.api_core.exceptions import PreconditionFailed

        with _errors(self.address):
            try:
                self._bucket.blob(self._prefix + name).upload_from_string(
                    data, content_type="application/octet-stream", if_generation_match=0, checksum="crc32c",
                    retry=_retry(TRANSFER_SECONDS), timeout=SILENT_TRANSFER_SECONDS,
                )  # fmt: skip
            except PreconditionFailed:
                return False
            return True

    def remove(self, name: str) -> None:
        """Remove a file. It may be missing."""
        from google.api_core.exceptions import NotFound

        with _errors(self.address):
            try:
                self._bucket.blob(self._prefix + name).delete(retry=_retry(), timeout=SILENT_SECONDS)
            except NotFound:
                return

    def _below(self, folder: str) -> str:
        return f"{self._prefix}{folder}/" if folder else self._prefix


def _retry(seconds: float = 0) -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(seconds or SECONDS)


@contextmanager
def _errors(address: str) -> Iterator[None]:
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound, PreconditionFailed, Unauthorized
    from google.auth.exceptions import GoogleAuthError
    from google.resumable_media import DataCorruption

    try:
        yield
    except NotFound:
        raise Unavailable("there is no such bucket", where=address, remedy="create it, or check the name") from None
    except (Forbidden, Unauthorized):
        raise Unavailable("you have no permission for this bucket", where=address, remedy="ask for the role Storage Object User") from None
    except PreconditionFailed:
        raise  # handled by the caller
    except (GoogleAPIError, GoogleAuthError, DataCorruption, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a local error such as a full disk: network errors of `requests` have no errno
        first = (str(error).strip().splitlines() or ["no answer"])[0][:300]
        raise Unavailable(f"the bucket cannot be reached: {first}", where=address, remedy="check the network and the credentials") from None
