"""Commands of `robo-poet registry` that write and restore encrypted backups of a registry folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.registry.opening import AsJson, print_json
from robo_poet.commands import command
from robo_poet.local_folder import local_path

LocalFolder = Annotated[Path, typer.Option("--registry", help="Folder of the registry.", callback=local_path)]
HOME = Path("registry")
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="File with the key: 32 random bytes in base64, mode 0600.", callback=local_path)
]
KeyVariable = Annotated[str, typer.Option("--key-variable", help="Name of the environment variable that has the key.")]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File with a passphrase instead of a key, mode 0600.", callback=local_path)
]


def backup(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="New file.", callback=local_path)],
    registry: LocalFolder = HOME,
    key_file: KeyFile = None,
    key_variable: KeyVariable = "",
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Write all models of a registry to one encrypted, signed file.

    The registry is verified while it is read, and others may change it
    meanwhile. The signing key is not in the file: keep it and the key of the
    backup elsewhere.

    Example: `robo-poet registry backup registry.backup --key-file backup.key`
    """
    from dataclasses import asdict

    from robo_poet.registry.backup.backup import backup as write_backup
    from robo_poet.registry.backup.secret import read_secret
    from robo_poet.registry.trust.trust import Trust

    trust = Trust()
    saved = write_backup(registry, archive, read_secret(key_file, key_variable, passphrase_file), trust)
    if as_json:
        print_json(asdict(saved))
        return
    counts = f"{_count(saved.models, 'model')}, {_count(saved.versions, 'version')}, {_count(saved.entries, 'log entry', 'log entries')}"
    typer.echo(f"{archive}: {counts}, {saved.size / 1e6:.1f} MB, signed by the key {trust.signer().public.id[:12]}")


def restore(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="File of `robo-poet registry backup`.", callback=local_path)],
    registry: LocalFolder = HOME,
    key_file: KeyFile = None,
    key_variable: KeyVariable = "",
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup to a new or empty folder, byte for byte.

    The folder appears only when the whole file, its signature, the log and
    all versions have been checked.

    Example: `robo-poet registry restore registry.backup --registry restored --key-file backup.key`
    """
    from dataclasses import asdict

    from robo_poet.registry.backup.restore import restore as restore_backup
    from robo_poet.registry.backup.secret import read_secret
    from robo_poet.registry.trust.trust import Trust

    restored = restore_backup(archive, registry, read_secret(key_file, key_variable, passphrase_file), Trust())
    if as_json:
        print_json(asdict(restored))
        return
    made = f"the state of {restored.footer.made[:16].replace('T', ' ')} UTC, signed by the key {restored.footer.signer[:12]}"
    typer.echo(f"{registry}: {_count(len(restored.entries), 'model')}, {_count(restored.versions, 'version')}; {made}")
    for model, index in restored.older.items():
        accept = command(f"registry accept-head --registry {registry} --model {model}")
        older = f"you have read {index} entries of the log of {model}, and the backup has {restored.entries[model]}"
        typer.echo(f"warning: {older}; to accept it: {accept}")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
