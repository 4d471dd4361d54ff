"""Which keys a reader trusts, which key a writer signs with, and which heads were seen (REG-1, REG-4).

Settings are environment variables, because steps, servers and commands read the same registry:

- `ROBO_POET_TRUST`: folder with `signing.key`, `trusted_keys` and `heads/`; default `~/.config/robo-poet`
- `ROBO_POET_SIGNING_KEY`: file with the signing key, such as a mounted secret. It is never created
- `ROBO_POET_TRUSTED_KEYS`: the only trusted keys, separated by commas: public keys, or files with one key in each line

The setting `serve.trusted_keys` of a profile takes the place of `ROBO_POET_TRUSTED_KEYS` in programs and commands that have a profile.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.permissions import check_unchangeable
from robo_poet.registry.trust.heads import Heads
from robo_poet.registry.trust.keys import PrivateKey, PublicKey, create_private_key, is_key, named_keys, parse_keys, read_private_key

FOLDER, SIGNING_KEY, TRUSTED_KEYS = "ROBO_POET_TRUST", "ROBO_POET_SIGNING_KEY", "ROBO_POET_TRUSTED_KEYS"
VARIABLES = (FOLDER, SIGNING_KEY, TRUSTED_KEYS)
TRUSTED_SETTING = "serve.trusted_keys"
KEY_NAME, TRUSTED_NAME, HEADS_NAME = "signing.key", "trusted_keys", "heads"  # in the folder


def trust_folder() -> Path:
    """Return the folder for keys and heads."""
    if named := os.environ.get(FOLDER):
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config").absolute() / "robo-poet"


class Trust:
    """The keys and heads of this user.

    Args:
        trusted: the only trusted keys: public keys, or files of them (`serve.trusted_keys`). Empty for those of the environment, or of the
            folder.

    Attributes:
        heads: the remembered heads.
    """

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self.folder = trust_folder()
        self.heads = Heads(self.folder / HEADS_NAME)
        self._setting = TRUSTED_SETTING if trusted else TRUSTED_KEYS  # names the keys, if there are any
        self._named = list(trusted) or [name.strip() for name in os.environ.get(TRUSTED_KEYS, "").split(",") if name.strip()]
        self._key_file = os.environ.get(SIGNING_KEY, "")
        self._keys: dict[str, PublicKey] = {}
        self._read_at: object = None
        self._signer: PrivateKey | None = None
        self._signer_read_at: object = None

    def keys(self) -> dict[str, PublicKey]:
        """Return the trusted keys: id → key. The files are read again after a change, so a new key needs no restart.

        Raises:
            BadInput: a setting or file has no keys, or other users can change it.
        """
        files = [Path(name) for name in self._named if not is_key(name)] if self._named else [self.trusted_file, self.key_file]
        stamp = [(str(path), _stamp(path)) for path in files]
        if stamp != self._read_at:
            self._keys = {key.id: key for key in self._read_keys()}
            self._read_at = stamp
        return self._keys

    @property
    def trusted_file(self) -> Path:
        """The file with the trusted keys of this user, one in each line."""
        return self.folder / TRUSTED_NAME

    @property
    def key_file(self) -> Path:
        """The file with the signing key."""
        return Path(self._key_file).absolute() if self._key_file else self.folder / KEY_NAME

    @property
    def place_of_keys(self) -> str:
        """Where a further trusted key is added, for messages. Programs read files again, but not settings and variables."""
        if not self._named:
            return str(self.trusted_file)
        files = [name for name in self._named if not is_key(name)]
        return files[0] if files else f"{self._setting}, and start the programs again"

    def public_files(self) -> list[Path]:
        """Return the existing files with trusted keys."""
        files = [Path(name) for name in self._named if not is_key(name)] if self._named else [self.trusted_file]
        return [path.absolute() for path in files if path.exists()]

    def variables(self) -> dict[str, str]:
        """Return the environment variables that give another process the same keys and heads."""
        named = {TRUSTED_KEYS: ",".join(name.partition(" ")[0] if is_key(name) else str(Path(name).absolute()) for name in self._named)}
        return {FOLDER: str(self.folder), SIGNING_KEY: str(self.key_file), **(named if self._named else {})}

    def signer(self) -> PrivateKey:
        """Return the signing key. On the first use on a laptop it is created. The file is read again after a change, like the trusted keys.

        Raises:
            BadInput: the key is missing on a cluster, cannot be read or created, or is not trusted.
        """
        if self._signer is None or _stamp(self.key_file) != self._signer_read_at:
            self._signer = None
            if not self.key_file.exists():
                if self._key_file or "KUBERNETES_SERVICE_HOST" in os.environ:
                    remedy = f"mount a secret with a signing key, and set {SIGNING_KEY} to its path (docs/how-to/sign.md)"
                    raise BadInput("there is no signing key", where=str(self.key_file), remedy=remedy)
                create_private_key(self.key_file)
            read_at = _stamp(self.key_file)
            key = read_private_key(self.key_file)
            if not self._key_file and not self._named:
                self._publish(key.public)
            self._signer, self._signer_read_at = key, read_at
        if self._signer.public.id not in self.keys():
            remedy = f"add this line to {self.place_of_keys}: {self._signer.public.text}"
            raise BadInput("the signing key is not one of the trusted keys", where=str(self.key_file), remedy=remedy)
        return self._signer

    def _read_keys(self) -> list[PublicKey]:
        if self._named:
            return named_keys(self._named, self._setting)
        keys = []
        if self.trusted_file.exists():
            check_unchangeable(self.folder, "folder of keys")
            check_unchangeable(self.trusted_file, "file of trusted keys")
            keys = parse_keys(self.trusted_file.read_text("utf-8"), str(self.trusted_file))
        # A user who can read the signing key could sign with it anyway.
        return [*keys, *([read_private_key(self.key_file).public] if self.key_file.exists() else [])]

    def _publish(self, key: PublicKey) -> None:
        """Write the own public key to the trusted keys, for readers that do not have the signing key, such as containers."""
        known = self.trusted_file.read_text("utf-8") if self.trusted_file.exists() else ""
        if key.text not in known:
            with self.trusted_file.open("a", encoding="utf-8") as file:
                file.write(f"{key.text} made on first use\n")
            self.trusted_file.chmod(0o644)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
