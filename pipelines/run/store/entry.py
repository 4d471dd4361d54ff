"""The result of a finished step: output parameters and artifacts with digests, read from its output folder or from `entry.json`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.run.ir.steps import Step
from pipelines.run.ir.values import PlaceholderValues, from_text, typed
from robo_poet.digest import digest_json, digest_path
from robo_poet.errors import BadInput
from robo_poet.regular_file import kind_of, read_below

SEAL = "seal"  # key in `entry.json`: the digest of its other fields, so that an edited parameter is noticed
LARGEST_RECORD = 10_000_000  # bytes of `entry.json`, of an executor output or of an output parameter


def special_file(path: Path) -> str:
    """Return the kind of the first entry at or below `path` that is neither a regular file nor a folder, such as `a link`; else empty.

    A digest covers only regular files, and reads what a link points to, which can change later.
    """
    try:
        kind = kind_of(path.lstat().st_mode)
    except FileNotFoundError:
        return ""
    if kind != "a folder":
        return kind
    for base, folders, files in os.walk(path):
        for name in (*folders, *files):
            inner = kind_of(Path(base, name).lstat().st_mode)
            if inner not in ("", "a folder"):
                return inner
    return ""


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
        fields = json.loads(json.dumps({**self.__dict__, "artifacts": artifacts}, allow_nan=False))
        return json.dumps({**fields, SEAL: digest_json(fields)}, indent=1, allow_nan=False)

    @classmethod
    def read(cls, folder: Path) -> "Entry":
        """Read the entry in `folder`, and check that nothing in `entry.json` was changed. Artifacts are not checked.

        Raises:
            ValueError, OSError: the entry cannot be read, or was changed.
        """
        try:
            data = json.loads(read_below(folder, "entry.json", LARGEST_RECORD).decode())
        except (BadInput, ValueError, RecursionError) as error:
            raise ValueError(f"entry.json cannot be read ({error})") from None
        if not isinstance(data, dict) or data.pop(SEAL, None) != digest_json(data):
            raise ValueError("entry.json was changed after the step wrote it, or is of an older form")
        try:
            data["artifacts"] = {name: Artifact(folder / "artifacts" / name, **fields) for name, fields in data["artifacts"].items()}
            return cls(**{**data, "warnings": tuple(data["warnings"])})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an entry ({error})") from None

    def has(self, name: str) -> bool:
        """Return whether the entry has the output `name` with a content that another step can read."""
        return name in self.parameters or (name in self.artifacts and bool(self.artifacts[name].digest))

    def damage(self) -> str:
        """Hash the artifacts again. Return a description of the first difference from what the step wrote; empty if there is none."""
        if self.key != digest_json(self.ingredients):
            return "the key is not that of its inputs"
        for name, artifact in self.artifacts.items():
            if not artifact.digest:
                continue
            if special := special_file(artifact.path):
                return f"{name} contains {special}"
            if not artifact.path.exists() or digest_path(artifact.path) != artifact.digest:
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
        elif file.exists():
            parameters[name] = from_text(kind, _text(file), f"output {name}")
    artifacts: dict[str, Artifact] = {}
    for name in step.output_artifacts:
        path = placeholders.output("artifacts", name)
        if special := special_file(path):
            raise BadInput(f"the step's output {name} is or contains {special}; a step must write regular files and folders")
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
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise BadInput(f"the step's executor output cannot be read ({error})") from None


def _text(path: Path) -> str:
    try:
        return read_below(path.parent, path.name, LARGEST_RECORD).decode()
    except BadInput as error:
        raise BadInput(f"the step's output file {path.name} cannot be read: {error.what}") from None
    except UnicodeDecodeError:
        raise BadInput(f"the step's output file {path.name} is not UTF-8 text") from None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
