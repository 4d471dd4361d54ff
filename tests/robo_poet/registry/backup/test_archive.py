"""An archive that was damaged, or that somebody else made, is refused and leaves nothing."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.backup import archive as archive_module
from robo_poet.registry.backup.archive import FOOTER_BYTES, write_archive
from robo_poet.registry.backup.backup import backup
from robo_poet.registry.backup.restore import restore
from robo_poet.registry.backup.sealed import HEADER_BYTES, Sealer
from robo_poet.registry.backup.secret import Secret
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from tests.robo_poet.registry.backup.contents import plain, visible


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1],
    lambda data: data[: HEADER_BYTES + 65_552],
    lambda data: data[:20],
    lambda data: data + b"x",
    lambda data: data[:80] + bytes([data[80] ^ 1]) + data[81:],
    lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
    lambda data: data[:HEADER_BYTES] + data[HEADER_BYTES + 65_552 : HEADER_BYTES + 131_104] + data[HEADER_BYTES : HEADER_BYTES + 65_552] + data[HEADER_BYTES + 131_104 :],
])  # fmt: skip
def test_a_damaged_archive_leaves_nothing(registry: Registry, secret: Secret, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.backup"
    backup(registry.root, path, secret, registry.trust)
    path.write_bytes(damage(path.read_bytes()))
    before = visible(tmp_path)
    with pytest.raises(BadInput) as caught:
        restore(path, tmp_path / "restored", secret, registry.trust)
    assert "\n" not in str(caught.value) and "cut" in str(caught.value)
    assert visible(tmp_path) == before


def test_another_key_and_an_unknown_signer_leave_nothing(
    registry: Registry, secret: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.backup"
    backup(registry.root, path, secret, registry.trust)
    (tmp_path / "restored").mkdir()
    before = visible(tmp_path)
    with pytest.raises(BadInput, match=r"the secret in zeros does not open this backup"):
        restore(path, tmp_path / "restored", Secret(bytes(32), False, "zeros"), registry.trust)
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "another"))
    stranger = Trust()
    stranger.signer()
    with pytest.raises(BadInput, match="the backup is signed by an unknown key .*if this key is yours"):
        restore(path, tmp_path / "restored", secret, stranger)
    assert visible(tmp_path) == sorted([*before, "another"]) and visible(tmp_path / "restored") == []


def seal(path: Path, secret: Secret, content: bytes) -> None:
    with path.open("wb") as file:
        sealer = Sealer(file, secret)
        sealer.write(content)
        sealer.finish()


def test_who_has_the_secret_but_no_signing_key_cannot_make_another_backup(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    backup(registry.root, tmp_path / "a", secret, registry.trust)
    content = plain(tmp_path / "a", secret)
    body, footer = content[:-FOOTER_BYTES], content[-FOOTER_BYTES:]
    position = body.index(b'"who"')
    forged = body[:position] + b"X" + body[position + 1 :]
    for number, (changed, message) in enumerate((
        (forged + footer, "differs from what was signed"),
        (body + footer.replace(b'"form": 1', b'"form": 2'), "differs from what was signed"),
        (body + b"{}".ljust(FOOTER_BYTES), "the backup has no signature"),
        (body + b'{"payload": {"made": "", "sha256": ""}, "signatures": []}'.ljust(FOOTER_BYTES), "the backup has no signature"),
        (b"", "no files of a registry"),
        (b"x" * 20_000 + footer, "no files of a registry"),
    )):  # fmt: skip
        seal(tmp_path / f"forged{number}", secret, changed)
        with pytest.raises(BadInput, match=message):
            restore(tmp_path / f"forged{number}", tmp_path / "restored", secret, registry.trust)
        assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("../outside", tarfile.REGTYPE), ("/outside", tarfile.REGTYPE), ("poems/a", tarfile.SYMTYPE), ("poems/a", tarfile.LNKTYPE),
     ("poems", tarfile.DIRTYPE), ("poems/a", tarfile.FIFOTYPE), ("poems//a", tarfile.REGTYPE)],
)  # fmt: skip
def test_names_that_lead_out_and_other_things_than_files_are_refused(
    registry: Registry, secret: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: bytes
) -> None:
    def add(self: Any, name: str, source: Any, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/hostname"
        self._tar.addfile(info)

    monkeypatch.setattr(archive_module.ArchiveWriter, "_add", add)
    with (tmp_path / "a").open("wb") as file, write_archive(file, secret, registry.trust) as writer:
        writer.add_bytes(name, b"")
    with pytest.raises(BadInput, match="something else than a file"):
        restore(tmp_path / "a", tmp_path / "sub" / "restored", secret, registry.trust)
    assert visible(tmp_path / "sub") == [] and not (tmp_path / "outside").exists()
