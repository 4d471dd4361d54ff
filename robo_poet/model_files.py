"""Files of a model in an installed package: found without running the package's code, and verified by SHA-256 before they are used."""

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from robo_poet.commands import make
from robo_poet.errors import BadInput


def package_folder(package: str, what: str) -> Path:
    """Return the folder of an installed package.

    Args:
        what: the model, for messages: `the toxicity classifier`.

    Raises:
        BadInput: the package is not installed.
    """
    spec = find_spec(package)  # finds the package without running it
    if spec is None or not spec.submodule_search_locations:
        raise BadInput(f"{what} is not installed", where=package, remedy=f"run {make('setup')}")
    return Path(spec.submodule_search_locations[0])


def verified_files(source: Path, digests: Mapping[str, str], what: str) -> dict[str, bytes]:
    """Return the content of files of a folder or a ZIP archive.

    The caller uses these bytes and not the files, which may change after the check.

    Args:
        source: the folder, or the archive.
        digests: file name → SHA-256 of the published file.
        what: the model, for messages.

    Raises:
        BadInput: a file cannot be read, or it is not the published one.
    """
    remedy = f"remove .venv and run {make('setup')}"
    try:
        if source.suffix == ".zip":
            with zipfile.ZipFile(source) as archive:
                content = {name: archive.read(name) for name in digests}
        else:
            content = {name: (source / name).read_bytes() for name in digests}
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise BadInput(f"cannot read {what}: {error}", where=str(source), remedy=remedy) from None
    for name, digest in digests.items():
        if hashlib.sha256(content[name]).hexdigest() != digest:
            raise BadInput(f"{name} is not the published file, so it is not loaded: its SHA-256 differs", where=str(source), remedy=remedy)
    return content
