"""How large a folder is to send (REG-3 asks for a SavedModel of at most 20 MB, compressed)."""

import zlib
from pathlib import Path

CHUNK = 1 << 20
LEVEL, GZIP = 6, 31  # gzip's own level; window bits that mean a gzip stream


def compressed_bytes(folder: Path) -> int:
    """Bytes of all files of `folder` as one gzip stream; nothing is written. Names, owners and times do not matter."""
    stream = zlib.compressobj(LEVEL, wbits=GZIP)
    size = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    size += len(stream.compress(chunk))
    return size + len(stream.flush())
