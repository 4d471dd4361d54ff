"""What the gateway holds of a version: its tokenizer, and the manifest that says how long a text may be (contract 6)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.registry.errors import Corrupt
from robo_poet.registry.version import Version

_MODEL = "model/manifest.json"
_WORDS = "tokenizer/"


@dataclass(frozen=True)
class Served:
    """A version that can be called. Equal only to itself."""

    number: int
    digest: str
    tokenizer: Tokenizer
    manifest: Mapping[str, Any]


def load_served(version: Version, restricted: Sequence[str] = ()) -> Served:
    """Read what is needed of a version, each file only if it is what was registered (REG-4). Takes some 0.1 s: not on the event loop.

    Args:
        restricted: texts that are never generated; their tokens are found now, so that no request waits for it.

    Raises:
        BadInput: a file is missing, changed, or does not fit the others.
    """
    files = version.manifest().files
    needed = [name for name in files if name == _MODEL or name.startswith(_WORDS)]
    for name in needed:
        path = version.folder / name
        if not path.is_file() or digest_file(path) != files[name]:
            raise Corrupt("it is not what was registered", where=str(path), remedy="restore the version's folder, or register it anew")
    if _MODEL not in needed:
        raise BadInput("the version has no model", where=str(version.folder), remedy="register one that has")
    words = Tokenizer.load(version.folder / _WORDS)
    manifest = json.loads((version.folder / _MODEL).read_text("utf-8"))
    words.check_size(manifest, version.folder / _WORDS)
    words.holding(restricted)
    return Served(version.number, version.digest, words, manifest)
