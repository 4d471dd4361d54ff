"""Verify the files of a version and make it the canary, or the first champion."""

import sys
from collections.abc import Sequence
from pathlib import Path

from components.deploy_canary.component import deploy_canary
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.registry.state import Stage
from robo_poet.registry.version import Version
from robo_poet.step.program import Call, program


def deploy(registry: Registry, number: int, digest: str, who: str) -> tuple[Version, bool]:
    """Make a candidate the canary, or champion if there is none, and return it and whether anything was to do.

    Args:
        digest: SHA-256 of the manifest that the caller means by `number`.

    Raises:
        BadInput: the number means another version here, it was rejected, or its files are not what was registered.
    """
    version = registry.version(number)
    where = f"{registry.root}: version {number}"
    if version.digest != digest:
        told = f"has the digest {version.digest[:12]}, not {digest[:12] or 'none'}"
        raise BadInput(told, where=where, remedy="this is another registry than the one it was registered in")
    version.verify()
    if version.stage is Stage.REJECTED:
        raise BadInput(f"was rejected ({version.why})", where=where, remedy="a rejected version is never deployed")
    if version.stage is not Stage.CANDIDATE:
        return version, False
    champion = registry.champion()
    if champion is None:
        return registry.promote(number, who=who, why="the first version that passed its gates"), True
    return registry.start_canary(number, who=who, why=f"passed its gates, to be compared with version {champion.number}"), True


def work(call: Call) -> None:
    """The step: see component.py."""
    given = call.parameters
    registry = Registry(Path(given["registry"]))
    version, changed = deploy(registry, given["version"], given["version_digest"], given["who"])
    call.result("stage", str(version.stage))
    call.progress(1, 1, f"version {version.number} is {version.stage}{'' if changed else ' already, nothing to do'}")


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return program(deploy_canary, work, argv)


if __name__ == "__main__":
    sys.exit(main())
