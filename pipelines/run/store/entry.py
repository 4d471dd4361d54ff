"""The result of a finished step: output parameters and artifacts with digests, read from its output folder or from `entry.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.run.ir.steps import Step
from pipelines.run.ir.values import PlaceholderValues, from_text, typed
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput


@dataclass(frozen=True)
class Artifact:
    """A file or folder with the SHA-256 of its content. `digest` is empty for an artifact that has only metadata, such as metrics."""

    path: Path
    digest: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """The result of one step.

    Attributes:
        ingredients: the data whose digest is the key.
        seconds: duration of the attempt that made it.
        created: UNIX time.
    """

    task: str
    key: str
    ingredients: Mapping[str, Any]
    parameters: Mapping[str, Any]
    artifacts: Mapping[str, Artifact]
    seconds: float
    warnings: tuple[str, ...]
    created: float

    def to_json(self) -> str:
        """Return the content of `entry.json`."""
        artifacts = {name: {"digest": artifact.digest, "metadata": artifact.metadata} for name, artifact in self.artifacts.items()}
        return json.dumps({**self.__dict__, "artifacts": artifacts}, indent=1, allow_nan=False)

    @classmethod
    def read(cls, folder: Path) -> "Entry":
        """Read the entry in `folder`. Artifacts are not checked.

        Raises:
            ValueError, OSError: the entry cannot be read.
        """
        data = json.loads((folder / "entry.json").read_text("utf-8"))
        try:
            data["artifacts"] = {name: Artifact(folder / "artifacts" / name, **fields) for name, fields in data["artifacts"].items()}
            return cls(**{**data, "warnings": tuple(data["warnings"])})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an entry ({error})") from None

    def has(self, name: str) -> bool:
        """Return whether the entry has the output `name` with a content that another step can read."""
        return name in self.parameters or (name in self.artifacts and bool(self.artifacts[name].digest))

    def damage(self) -> str:
        """Hash the artifacts again. Return a description of the first that differs from what the step wrote; empty if none differs."""
        for name, artifact in self.artifacts.items():
            if artifact.digest and (not artifact.path.exists() or digest_path(artifact.path) != artifact.digest):
                return f"the content of {name} differs from what the step wrote"
        return ""


def collect(step: Step, placeholders: PlaceholderValues, consumed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Artifact]]:
    """Read a step's outputs: parameters from the executor output or from their files, artifacts with digests and metadata.

    Args:
        consumed: name of an output that must exist → name of a step that reads it.

    Raises:
        BadInput: a consumed output is missing, a parameter has another type, or a digest that the step reported is wrong.
    """
    values, metadata = _executor_output(placeholders.executor_output)
    parameters: dict[str, Any] = {}
    for name, kind in step.output_parameters.items():
        file = placeholders.output("parameters", name)
        if name in values:
            parameters[name] = typed(kind, values[name], f"output {name}")
        elif file.is_file():
            parameters[name] = from_text(kind, _text(file), f"output {name}")
    artifacts: dict[str, Artifact] = {}
    for name in step.output_artifacts:
        path = placeholders.output("artifacts", name)
        if path.exists() or metadata.get(name):
            artifacts[name] = Artifact(path, digest_path(path) if path.exists() else "", metadata.get(name, {}))
        reported = {**parameters, **values}.get(f"{name}_digest")
        if reported is not None and (name not in artifacts or reported != artifacts[name].digest):
            raise BadInput(f"the step reported the digest {str(reported)[:12]} for {name}, but its content has another digest")
    for name, reader in consumed.items():
        if name not in parameters and not (name in artifacts and artifacts[name].digest):
            raise BadInput(f"the step did not write its output {name}, which {reader} reads")
    return parameters, artifacts


def _executor_output(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return parameter values and metadata of each artifact from the executor output file; empty if the file is missing."""
    if not path.exists():
        return {}, {}
    try:
        output = json.loads(_text(path), parse_constant=_no_number)
        artifacts = {name: value["artifacts"][0] for name, value in (output.get("artifacts") or {}).items()}
        return dict(output.get("parameterValues") or {}), {
            name: dict(artifact.get("metadata") or {}) for name, artifact in artifacts.items()
        }
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise BadInput(f"the step's executor output cannot be read ({error})") from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (UnicodeDecodeError, IsADirectoryError):
        raise BadInput(f"the step's output file {path.name} is not UTF-8 text") from None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
