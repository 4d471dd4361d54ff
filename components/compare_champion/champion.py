"""Which version the new model is compared with: resolved at submission where that can be, else by the step itself (contract 7)."""

from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.registry.version import Version

NONE = "none"  # said by who has asked the registry; nothing else means that there is no champion


def find_champion(registry: Path, digest: str) -> Version | None:
    """The champion, verified; None where there is none.

    Args:
        digest: of the version's manifest; `none`; or empty to ask the registry now.

    Raises:
        BadInput: the registry holds no version of this digest.
        Corrupt: the log or the version is not what was written.
    """
    if digest == NONE:
        return None
    store = Registry(registry)
    found = next((one for one in store.versions() if one.digest == digest), None) if digest else store.champion()
    if found is None and not digest and store.strays():
        raise BadInput(
            "the log knows no champion, but there are versions that it does not know", where=str(registry), remedy="restore the log"
        )
    if digest and found is None:
        raise BadInput(f"no version has the digest {digest[:12]}", where=str(registry), remedy="submit the run again")
    if found:
        found.verify()
    return found
