"""A corpus source in Google Cloud Storage: listing and download. It respects STORAGE_EMULATOR_HOST, as the client library does."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from google.api_core.exceptions import GoogleAPIError, NotFound, PreconditionFailed
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from robo_poet.atomic import new_file
from robo_poet.corpus.compression import ARCHIVE
from robo_poet.corpus.file_kinds import KINDS, document_names, is_table, is_text
from robo_poet.errors import BadInput

RETRY = DEFAULT_RETRY.with_timeout(30)  # seconds; the library's default of 120 is long for a mistyped name


@dataclass(frozen=True)
class BucketObject:
    """One object of a source. `path` is its name relative to the prefix, or its last part if the prefix is the object itself."""

    name: str
    path: str
    generation: int
    crc32c: str
    size: int


def bucket_objects(url: str) -> list[BucketObject]:
    """Return the objects of `gs://bucket/prefix`, sorted by name: the object with that name, or the .txt and .md objects below it.

    Raises:
        BadInput: no such bucket, no access, no readable object below the prefix, or an object name that leaves its folder.
    """
    bucket, prefix = _parse(url)
    with _errors(url):
        blobs = {blob.name: blob for blob in _client().list_blobs(bucket, prefix=prefix, retry=RETRY, timeout=30)}
    paths = paths_below(prefix, blobs)
    if not paths:
        raise BadInput("the prefix contains no .txt or .md object", where=url, remedy=f"give another prefix, or one object of {KINDS}")
    if outside := next((name for path, name in paths.items() if path.startswith("/")), None):
        raise BadInput(f"the name of object {outside!r} points outside the folder", where=url, remedy="rename the object")
    return [
        BucketObject(name, path, int(blobs[name].generation or 0), str(blobs[name].crc32c or ""), int(blobs[name].size or 0))
        for path, name in paths.items()
    ]


def paths_below(prefix: str, names: Collection[str]) -> dict[str, str]:
    """Return path → object name of the documents under a prefix.

    Names that begin with a full stop are hidden, so a path with `..` is left out, too.
    """
    if prefix in names and (is_text(prefix) or is_table(prefix) or prefix.lower().endswith(ARCHIVE)):
        return {PurePosixPath(prefix).name: prefix}
    folder = f"{prefix}/" if prefix else ""
    below = {name.removeprefix(folder): name for name in names if name.startswith(folder)}
    return {path: below[path] for path in document_names(below)}


def download(url: str, folder: Path) -> Path:
    """Copy `gs://bucket/prefix` into `folder` and return the path to read: the folder, or the file if the prefix is one object.

    Raises:
        BadInput: in the same cases as `bucket_objects`, or if an object was replaced during the download.
    """
    bucket, prefix = _parse(url)
    objects = bucket_objects(url)
    source = _client().bucket(bucket)
    for item in objects:
        with _errors(url), new_file(folder / item.path) as temporary:
            source.blob(item.name).download_to_filename(
                str(temporary), if_generation_match=item.generation or None, retry=RETRY, timeout=60
            )
    return folder / objects[0].path if objects[0].name == prefix else folder


def _parse(url: str) -> tuple[str, str]:
    bucket, _, prefix = url.removeprefix("gs://").partition("/")
    if not bucket:
        raise BadInput("the bucket name is missing", where=url, remedy="write gs://bucket/prefix")
    return bucket, prefix.strip("/")


def _client() -> storage.Client:
    return storage.Client(project="robo-poet")  # listing and reading need no project, but the client requires one


@contextmanager
def _errors(url: str) -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise BadInput("no such bucket or object", where=url, remedy="check the name") from None
    except PreconditionFailed:
        raise BadInput("an object was replaced while it was read", where=url, remedy="run again") from None
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a local error such as a full disk: network errors of `requests` have no errno
        first = str(error).strip().splitlines()[0][:300]
        raise BadInput(f"the bucket cannot be read: {first}", where=url, remedy="check the network and the credentials") from None
