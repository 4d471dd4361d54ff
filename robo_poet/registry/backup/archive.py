"""The content of a backup: a tar file of the registry's files, and its signature, in one encrypted stream (REG-4).

The tar file is in PAX format and has the same bytes for the same state of the registry: sorted names, no times, no owners. Behind it
stands a footer of fixed length with the SHA-256 of the tar file, signed by the key of the registry. So whoever knows the secret of a
backup, but has no trusted signing key, cannot make another one. Files are read and written in pieces: memory does not grow with them.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from robo_poet.errors import BadInput
from robo_poet.registry.backup.sealed import CHUNK, Opener, Sealer
from robo_poet.registry.backup.secret import Secret
from robo_poet.registry.log.entry import Corrupt, canonical
from robo_poet.registry.trust import envelope
from robo_poet.registry.trust.envelope import Verdict
from robo_poet.registry.trust.trust import Trust

KIND = "application/vnd.robo-poet.backup+json"  # type of the signed bytes
FOOTER_BYTES = 1024
MODE = 0o444  # of every restored file, as the registry writes it


@dataclass(frozen=True)
class Footer:
    """What the footer of an archive says.

    Args:
        made: UTC, ISO 8601.
        signer: id of the key that signed it.
    """

    made: str
    signer: str


class _Hashed:
    """A target that keeps the SHA-256 of what is written."""

    def __init__(self, target: Sealer) -> None:
        self._target, self.sha256 = target, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self._target.write(data)


class ArchiveWriter:
    """Adds files to an archive; see `write_archive`."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files, self.bytes = 0, 0

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add a file with this content."""
        self._add(name, io.BytesIO(data), len(data))

    def add_file(self, name: str, path: Path, sha256: str, remedy: str) -> None:
        """Add a file whose content has this SHA-256.

        Raises:
            Corrupt: the file is missing or differs from it.
        """
        try:
            with path.open("rb") as file:
                source = _HashedSource(file)
                self._add(name, cast(IO[bytes], source), path.stat().st_size)
                if source.sha256.hexdigest() != sha256 or file.read(1):
                    raise Corrupt("the file was changed after the registration", where=str(path), remedy=remedy)
        except FileNotFoundError:
            raise Corrupt("the file is missing", where=str(path), remedy=remedy) from None

    def _add(self, name: str, source: IO[bytes], size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, MODE
        self._tar.addfile(info, source)
        self.files, self.bytes = self.files + 1, self.bytes + size


class _HashedSource:
    """A file that is read once, with the SHA-256 of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data


@contextmanager
def write_archive(target: BinaryIO, secret: Secret, trust: Trust) -> Iterator[ArchiveWriter]:
    """Yield an archive to fill. It is complete and signed after the `with` block.

    Raises:
        BadInput: there is no signing key.
    """
    signer = trust.signer()
    sealer = Sealer(target, secret)
    hashed = _Hashed(sealer)
    with tarfile.open(fileobj=cast(IO[bytes], hashed), mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK) as tar:
        yield ArchiveWriter(tar)
    payload = {"form": 1, "made": datetime.now(UTC).isoformat(timespec="seconds"), "sha256": hashed.sha256.hexdigest()}
    footer = json.dumps({"payload": payload, "signatures": [envelope.sign(KIND, canonical(payload), signer)]})
    sealer.write(footer.encode().ljust(FOOTER_BYTES))
    sealer.finish()


class _Body:
    """The tar file of an opened archive: all plain text except the last `FOOTER_BYTES`, which are in `footer` after the end."""

    def __init__(self, source: Opener) -> None:
        self._source, self.footer, self.sha256 = source, b"", hashlib.sha256()

    def read(self, size: int) -> bytes:
        while len(self.footer) < size + FOOTER_BYTES and (data := self._source.read(CHUNK)):
            self.footer += data
        count = max(0, min(size, len(self.footer) - FOOTER_BYTES))
        data, self.footer = self.footer[:count], self.footer[count:]
        self.sha256.update(data)
        return data

    def drain(self) -> None:
        while self.read(CHUNK):
            pass


def extract_archive(source: BinaryIO, secret: Secret, trust: Trust, folder: Path, where: str) -> Footer:
    """Write the files of an archive to an empty folder, and check its signature. The caller removes the folder after an exception.

    Args:
        where: name of the archive, for messages.

    Raises:
        BadInput: the file is not an archive, the secret does not open it, it was changed or cut, it contains something else than files,
            or no trusted key signed it.
    """
    body = _Body(Opener(source, secret, where))
    try:
        with tarfile.open(fileobj=cast(IO[bytes], body), mode="r|", bufsize=CHUNK) as tar:
            for member in tar:
                _extract(tar, member, folder, where)
    except tarfile.TarError:
        raise BadInput("the backup has no files of a registry", where=where) from None
    body.drain()
    return _check_footer(body, trust, where)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, where: str) -> None:
    path, content = PurePosixPath(member.name), tar.extractfile(member) if member.isreg() else None
    if content is None or path.is_absolute() or ".." in path.parts or path.as_posix() != member.name:
        raise BadInput(f"the backup has something else than a file: {member.name[:80]!r}", where=where)
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while data := content.read(CHUNK):
            file.write(data)
    target.chmod(MODE)


def _check_footer(body: _Body, trust: Trust, where: str) -> Footer:
    try:
        footer = json.loads(body.footer)
        payload, signatures = footer["payload"], footer["signatures"]
        verdict, key = envelope.judge(KIND, canonical(payload), signatures, trust.keys())
        made, sha256 = str(payload["made"]), payload["sha256"]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BadInput("the backup has no signature", where=where) from None
    if verdict is not Verdict.TRUSTED:
        remedy = f"if this key is yours or a colleague's, add its line to {trust.place_of_keys}" if verdict is Verdict.UNKNOWN else ""
        raise BadInput(f"the backup {verdict}{f' {key[:12]}' if key else ''}", where=where, remedy=remedy)
    if sha256 != body.sha256.hexdigest():
        raise BadInput(f"the backup {Verdict.ALTERED}", where=where)
    return Footer(made, key)
