"""The digest of a corpus source. A run computes it at submission, and ingest checks that it reads the same content."""

from pathlib import Path

from robo_poet.corpus.source_files import is_bucket, source_files
from robo_poet.digest import digest_file, digest_json
from robo_poet.errors import BadInput


def source_digest(source: str) -> str:
    """Return the digest of `source`, over exactly the files that ingest reads.

    Args:
        source: '' for the bundled corpora (their content is part of the image), a local file or folder, or `gs://bucket/prefix`.

    Returns:
        '' for the bundled corpora; otherwise 64 hexadecimal digits. For a local source they cover inner names and contents; for a bucket,
        object names, generations and checksums, so that nothing is downloaded.

    Raises:
        BadInput: the source does not exist or cannot be read.
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
            (error.strerror or "cannot be read").lower(), where=str(error.filename or source), remedy="change its permissions"
        ) from None
