"""Placeholders in a container's command and arguments, resolved in one pass: what a value says is never read as a placeholder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.run.values import render
from robo_poet.errors import BadInput

ANY = re.compile(r"\{\{\$.*?\}\}", re.DOTALL)
_FORM = re.compile(r"\{\{\$\.(input|output)s\.(parameters|artifacts)\[(['\"])(.*?)\3\](?:\.(path|uri|output_file))?\}\}")
_KNOWN = {
    ("input", "parameters", None),
    ("output", "parameters", "output_file"),
    *((side, "artifacts", ending) for side in ("input", "output") for ending in ("path", "uri")),
}
_EXECUTOR_OUTPUT = "{{$.outputs.output_file}}"


@dataclass(frozen=True)
class Places:
    """What a step's placeholders stand for; output paths follow from the one folder that all its outputs are written to."""

    parameters: Mapping[str, Any]
    inputs: Mapping[str, Path]
    outputs: Path

    def output(self, kind: str, name: str) -> Path:
        """Where the output `name` of kind `artifacts` or `parameters` is to be written."""
        return self.outputs / kind / name

    @property
    def executor_output(self) -> Path:
        """Kubeflow's executor output file."""
        return self.outputs / "executor_output.json"


def fill(template: str, places: Places) -> str:
    """Resolve every placeholder of a checked `template`, once. An optional input that nobody gave is the empty text, as on the cluster."""

    def value(match: re.Match[str]) -> str:
        if match.group() == _EXECUTOR_OUTPUT:
            return str(places.executor_output)
        found = _FORM.fullmatch(match.group())
        assert found, "templates are checked when the pipeline is read"
        side, kind, _, name, _ = found.groups()
        if side == "output":
            return str(places.output(kind, name))
        return render(places.parameters.get(name)) if kind == "parameters" else str(places.inputs.get(name, ""))

    return ANY.sub(value, template)


def check(template: str, component: Mapping[str, Any], where: str) -> None:
    """Refuse what `fill` could not resolve: unknown placeholders, and those that name what the component does not declare.

    Raises:
        BadInput: names the placeholder.
    """
    if template.startswith(('{"Concat"', '{"IfPresent"')):
        raise BadInput(f"the placeholder {template[2:].partition(chr(34))[0]} is not supported by the local executor", where=where)
    for match in ANY.finditer(template):
        found = _FORM.fullmatch(match.group())
        side, kind, _, name, ending = found.groups() if found else ("", "", "", "", "")
        if match.group() != _EXECUTOR_OUTPUT and (side, kind, ending) not in _KNOWN:
            raise BadInput(f"the placeholder {match.group()} is not supported by the local executor", where=where)
        if found and name not in component.get(f"{side}Definitions", {}).get(kind, {}):
            raise BadInput(f"the placeholder {match.group()} names no declared {side}", where=where)
