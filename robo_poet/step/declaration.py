"""The declaration of a step: its inputs and outputs, in the form of a KFP component (contract 1).

A step's `component.py` contains a function with a signature and a docstring, but no body:

    @step(group="tokenize")
    def train_tokenizer(scrubbed: Input[Dataset], settings: dict, tokenizer: Output[Artifact], metrics: View[Metrics]) -> None:
        \"\"\"Train a byte-level BPE tokenizer on the training split.

        Args:
            scrubbed: The corpus without personal data.
            …
        \"\"\"

`robo_poet.step.program` builds the step's command line from this function, and `pipelines.steps` builds its KFP component. Both add
the digests of contract 2: a parameter `<name>_digest` for each `Input`, and a result `<name>_digest` for each `Output`.
This module needs the standard library only, because every image runs it.
"""

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar


class Artifact:
    """A file or folder that a step reads or writes. The subclasses have the names of KFP's artifact types."""


class Dataset(Artifact):
    """A table: one Parquet file."""


class Model(Artifact):
    """A folder with an exported model."""


class Metrics(Artifact):
    """Numbers for the Kubeflow UI."""


class HTML(Artifact):
    """A self-contained page for the Kubeflow UI."""


class Markdown(Artifact):
    """A text for the Kubeflow UI."""


KindT = TypeVar("KindT")


class Input(Generic[KindT]):
    """An artifact that the step reads. Its digest is checked before the work begins."""


class Output(Generic[KindT]):
    """An artifact that other steps read. Its digest is a result of the step."""


class View(Generic[KindT]):
    """An artifact for users, such as metrics or a page. It has no digest, and the command line may leave it out."""


class Result(Generic[KindT]):
    """A value that the step returns (KFP's output parameter)."""


Role = Literal["input", "output", "view", "result", "parameter"]
ROLES: dict[Any, Role] = {Input: "input", Output: "output", View: "view", Result: "result"}


@dataclass(frozen=True)
class Port:
    """One argument of a step.

    Attributes:
        kind: the artifact's class, or the Python type of a parameter or result.
        optional: True if it is declared as `str | None`. The command line may leave it out, and the value is then empty. A pipeline always
            passes it.
    """

    name: str
    role: Role
    kind: type
    description: str
    optional: bool = False


@dataclass(frozen=True)
class Step:
    """A step as its `component.py` declares it.

    Attributes:
        name: the step's folder, program and image.
        group: dependency group of its image; `requirements/<group>.txt` is the lock.
        description: what the step does, in one or two sentences.
        ports: its arguments in the order of the declaration.
    """

    name: str
    group: str
    description: str
    ports: tuple[Port, ...]

    def of(self, *roles: Role) -> list[Port]:
        """Return the ports with one of the roles, in order."""
        return [port for port in self.ports if port.role in roles]

    def names(self, *roles: Role) -> list[str]:
        """Return the names of the ports with one of the roles, in order."""
        return [port.name for port in self.of(*roles)]


def step(group: str) -> Callable[[Callable[..., None]], Step]:
    """Read a function's signature and docstring as the declaration of a step.

    Args:
        group: dependency group of the step's image.

    Raises:
        TypeError: an argument has no description, or a description has no argument.
    """

    def declare(function: Callable[..., None]) -> Step:
        description, texts = _parse_docstring(inspect.getdoc(function) or "")
        arguments = inspect.signature(function).parameters.values()
        ports = tuple(_port(argument, texts.pop(argument.name, "")) for argument in arguments)
        undescribed = [port.name for port in ports if not port.description]
        if undescribed or texts:
            faults = f"arguments without a description: {undescribed}; descriptions without an argument: {list(texts)}"
            raise TypeError(f"{function.__name__}: {faults}")
        return Step(function.__name__, group, description, ports)

    return declare


def _port(argument: inspect.Parameter, description: str) -> Port:
    role = ROLES.get(typing.get_origin(argument.annotation), "parameter")
    kinds = typing.get_args(argument.annotation) or (argument.annotation,)
    return Port(argument.name, role, kinds[0], description, optional=type(None) in kinds)


def _parse_docstring(docstring: str) -> tuple[str, dict[str, str]]:
    """Return the text before the sections, and the descriptions in `Args` and `Returns` by name."""
    before, *sections = re.split(r"^(?:Args|Returns):$", docstring, flags=re.MULTILINE)
    texts: dict[str, str] = {}
    for section in sections:
        for entry in re.split(r"\n(?= {4}\w+:)", section):
            name, _, text = entry.partition(":")
            if name.strip():
                texts[name.strip()] = " ".join(text.split())
    return " ".join(before.split()), texts
