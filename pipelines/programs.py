"""What images are made of: every step, and the programs that serve. Each is some of our packages in one dependency group."""

from dataclasses import dataclass

from pipelines.steps import GROUPS


@dataclass(frozen=True)
class Program:
    """One image's content.

    Attributes:
        packages: those that are run by `python -m`: the program's own first, then what it starts itself.
        group: its dependency group.
    """

    packages: tuple[str, ...]
    group: str


SERVING = {
    "gateway": Program(("serving.gateway", "robo_poet.request_log"), "gateway"),
    "model_server": Program(("serving.model_server",), "model-server"),
}
PROGRAMS = {**{step: Program((f"components.{step}",), group) for step, group in GROUPS.items()}, **SERVING}
