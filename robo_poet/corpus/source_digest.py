"""The digest of a corpus source. A run computes it at submission, and ingest checks that it reads the same content."""

import hashlib
import os
from pathlib import Path

from robo_poet.corpus.compression import check_magic, compression_of
from robo_poet.corpus.file_kinds import binary_file, not_parquet
from robo_poet.corpus.readers.encoding import HEAD, UTF_8, unicode_form
from robo_poet.corpus.source_files import SourceFiles, is_bucket, source_files
from robo_poet.digest import CHUNK, digest_json
from robo_poet.errors import BadInput

HOLE = 1 << 16  # bytes of NULs that no text in UTF-16 and no compressed file contains
GROWTH = 64 << 20  # bytes that a file may grow while it is read; the digest then shows the change


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
    files = source_files(Path(source))
    if not files.names or files.archive:
        return _digest(files)
    return digest_json([[name, _digest(files, name)] for name in files.names])


def _digest(files: SourceFiles, name: str = "") -> str:
    """Return the digest of one file as it is stored, read in chunks of 1 MiB. A compressed file is not expanded.

    A binary file is refused at its first NUL, so a sparse file takes no time. UTF-16 and compressed files contain NULs, but no chunk that
    consists of them.

    Raises:
        BadInput: the file cannot be read, is binary, or grows without end.
    """
    where = str(files.root / name if name else files.root)
    table, packed = where.lower().endswith(".parquet"), bool(compression_of(where))
    state, size, nuls = hashlib.sha256(), 0, packed
    with files.open_stored(name) as file:
        largest = os.fstat(file.fileno()).st_size + GROWTH
        try:
            while chunk := file.read(CHUNK):
                if size == 0:
                    if table and not chunk.startswith(b"PAR1"):
                        raise not_parquet(where)
                    if packed:
                        check_magic(chunk[:8], where)
                    nuls = packed or unicode_form(chunk[:HEAD]) != UTF_8
                hole = len(chunk) >= HOLE and not any(chunk)
                if not table and (nul := chunk.find(b"\0")) >= 0 and (hole or not nuls):
                    raise binary_file(where, size + nul, chunk[:8] if size == 0 else b"")
                state.update(chunk)
                size += len(chunk)
                if size > largest:
                    raise BadInput("the file grows while it is read", where=where, remedy="copy it, and give the copy")
        except OSError as error:
            problem = (error.strerror or "cannot be read").lower()
            raise BadInput(problem, where=where, remedy="change its permissions") from None
    return state.hexdigest()
