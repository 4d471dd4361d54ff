"""The digest of a user's corpus source. A run resolves it at submission, and ingest checks it: what was asked for is what is read."""

from pathlib import Path

from robo_poet.corpus.source_files import is_bucket, source_files
from robo_poet.digest import digest_file, digest_json
from robo_poet.errors import BadInput


def source_digest(source: str) -> str:
    """Digest of `source`, over the files that ingest would read and nothing else.

    Args:
        source: '' for the bundled corpora (their content is part of the image), a local file or folder, or `gs://bucket/prefix`.

    Returns:
        '' for the bundled corpora; else 64 hexadecimal digits. A local source counts by names inside it and contents, a bucket
        by object names, generations and checksums, so that nothing is downloaded to know it.

    Raises:
        BadInput: the source is not there or may not be read.
    """
    if not source:
        return ""
    if is_bucket(source):
        from robo_poet.corpus.bucket import bucket_objects  # the client library is slow to import, and most sources are local

        return digest_json([[item.path, item.generation, item.crc32c] for item in bucket_objects(source)])
    root = Path(source)
    files = source_files(root)
    try:
        if files == [root]:
            return digest_file(root)
        return digest_json([[file.relative_to(root).as_posix(), digest_file(file)] for file in files])
    except OSError as error:
        raise BadInput(
            (error.strerror or "cannot be read").lower(), where=str(error.filename or source), remedy="make it readable"
        ) from None
