"""What a folder or a backup contains."""

from pathlib import Path

from robo_poet.digest import digest_path
from robo_poet.registry.backup.sealed import Opener
from robo_poet.registry.backup.secret import Secret


def files(root: Path) -> dict[str, str]:
    """Relative path → SHA-256 and permissions of every file."""
    return {path.relative_to(root).as_posix(): f"{digest_path(path)} {path.stat().st_mode:o}" for path in root.rglob("*") if path.is_file()}


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def plain(path: Path, secret: Secret) -> bytes:
    with path.open("rb") as file:
        opener = Opener(file, secret, "")
        return b"".join(iter(lambda: opener.read(1 << 20), b""))
