"""Verify the files of a registered version and make it the canary, or the champion if there is none."""

import sys
from collections.abc import Sequence

from components.deploy_canary.component import deploy_canary
from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import Stage
from robo_poet.registry.versions.version import Version
from robo_poet.step.program import Call, program


def deploy(registry: Registry, number: int, digest: str, who: str) -> tuple[Version, bool]:
    """Make a candidate the canary, or the champion if there is none.

    Args:
        number: version number.
        digest: expected SHA-256 of the version's manifest.
        who: recorded in the registry log.

    Returns:
        The version, and False if nothing was done because it is no longer a candidate.

    Raises:
        BadInput: the version has another digest, was rejected, or its files were changed.
    """
    version = registry.version(number)
    where = f"{registry.root}: {registry.model}/{number}"
    if version.digest != digest:
        problem = f"has the manifest digest {version.digest[:12]}, expected {digest[:12] or 'none'}"
        raise BadInput(problem, where=where, remedy="give the registry that the version was registered in")
    version.verify()
    if version.stage is Stage.REJECTED:
        remedy = "deploy a version that passed its gates"
        if registry.state().record(number).barred:
            shown = command(f"registry show {number} --model {registry.model}")
            remedy = f"no gate lifts the rejection by a person or the canary judge; to see it: {shown}"
        raise BadInput(f"was rejected ({version.why})", where=where, remedy=remedy)
    if version.stage is not Stage.CANDIDATE:
        return version, False
    champion = registry.champion()
    if champion is None:
        return registry.promote(number, who=who, why="the first version that passed its gates"), True
    return registry.start_canary(number, who=who, why=f"passed its gates; canary against champion version {champion.number}"), True


def work(call: Call) -> None:
    """Deploy the version and set the result `stage`."""
    parameters = call.parameters
    registry = Registry(parameters["registry"], parameters["model_name"])
    version, changed = deploy(registry, parameters["version"], parameters["version_digest"], parameters["who"])
    call.result("stage", str(version.stage))
    call.progress(1, 1, f"{version.name} is {version.stage}{'' if changed else ' already; no change'}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(deploy_canary, work, argv)


if __name__ == "__main__":
    sys.exit(main())
