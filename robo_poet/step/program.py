"""The command-line program of a step. It reads input paths and writes output paths (architecture, contract 1).

The program does not depend on the work of the step. The only part of Kubeflow that it uses is the executor output file.
"""

import argparse
import errno
import json
import math
import os
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from robo_poet.atomic import write_text
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput, validation_message
from robo_poet.permissions import limit_umask
from robo_poet.step.declaration import Port, Step

SETTINGS = "settings"  # the parameter that a pydantic model checks
BAD_INPUT = 2  # exit status of an error that the caller can correct; 1 is a bug
SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass
class Call:
    """One run of a step: its inputs, and the results and metadata that it records."""

    inputs: dict[str, Path]
    outputs: dict[str, Path]
    parameters: dict[str, Any]
    settings: Any
    digests: dict[str, str]
    results: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    _last_progress: float = 0.0

    def result(self, name: str, value: Any) -> None:
        """Set the output parameter `name`."""
        self.results[name] = value

    def describe(self, output: str, **metadata: Any) -> None:
        """Attach metadata to an output artifact; on a `Metrics` artifact these are the numbers that the Kubeflow UI shows."""
        self.metadata.setdefault(output, {}).update(metadata)

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Print the progress in per cent, at most twice a second. The display reads these lines from the log."""
        now = time.monotonic()
        if done < total and now - self._last_progress < 0.5:
            return
        self._last_progress = now
        share = 100 if total <= 0 else min(100, int(100 * done / total))
        print(f"[{share:3d} %] {text}".rstrip(), file=sys.stderr, flush=True)

    def parts(self, done: int, total: int) -> None:
        """Print how many parts of a corpus the workers of a runner have finished."""
        self.progress(done, total + 1, f"{done} of {total} parts of the corpus")

    def note(self, text: str) -> None:
        """Print an event that the user may want to know. It is not a warning: the display prints it once, and no report repeats it."""
        print(f"note: {' '.join(text.split())}", file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """Print a warning. It does not stop the run; the scorecard repeats it."""
        print(f"warning: {' '.join(text.split())}", file=sys.stderr, flush=True)


def parse_settings(model: type[SettingsT], text: str, flag: str = "--settings") -> SettingsT:
    """Read a step's settings from JSON, given as `flag`.

    Raises:
        BadInput: the text is not JSON, a key is unknown, a type is wrong, or a value is out of range. The message names the key and the
            allowed values.
    """
    try:
        return model.model_validate_json(text or "{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadInput(validation_message(first["msg"]), where=f"{flag}: {key} = {first['input']!r}") from None


def _parser(declared: Step, settings: type[BaseModel] | None) -> argparse.ArgumentParser:
    lines = []
    for key, info in (settings.model_fields if settings else {}).items():
        default = "required" if info.is_required() else json.dumps(info.get_default(call_default_factory=True), default=str)
        lines.append(f"  {key} = {default}  {info.description or ''}")
    parser = argparse.ArgumentParser(
        prog=f"python -m components.{declared.name}",
        description=textwrap.fill(declared.description, 100),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="settings (JSON):\n" + "\n".join(lines) if lines else None,
    )

    def add(name: str, description: str, **options: Any) -> None:
        parser.add_argument("--" + name.replace("_", "-"), help=description.replace("%", "%%"), **options)

    for port in declared.ports:
        if port.role == "input":
            add(port.name, port.description, required=True, type=Path, metavar="IN")
            add(f"{port.name}_digest", f"SHA-256 of {port.name}; checked if given.", default="", metavar="SHA256")
        elif port.role == "output":
            add(port.name, port.description, required=True, type=Path, metavar="OUT")
        elif port.role == "view":
            add(port.name, port.description, type=Path, metavar="OUT")
        elif port.name == SETTINGS:
            add(port.name, f"{port.description} See below.", default="{}", metavar="JSON")
        elif port.role == "parameter":
            form = "JSON" if port.kind in (dict, list) else "N" if port.kind is int else "TEXT"
            add(port.name, port.description, metavar=form, **({"default": ""} if port.optional else {"required": True}))
    parser.add_argument("--executor-output", type=Path, metavar="OUT", help="Kubeflow's executor output file.")
    return parser


def _value(port: Port, text: str) -> str | int:
    """Return the value of a parameter. JSON is returned as text; the step checks it."""
    if port.kind is not int:
        return text
    try:
        number = float(text)  # a cluster may pass 3 as 3.0
    except ValueError:
        number = math.nan
    if not number.is_integer():
        raise BadInput(f"{text!r} is not a whole number", where=f"--{port.name.replace('_', '-')}")
    return int(number)


def _check_inputs(call: Call) -> None:
    for name, path in call.inputs.items():
        if not path.exists():
            raise BadInput("no such input", where=str(path), remedy=f"give an existing path to --{name.replace('_', '-')}")
        expected = call.digests.get(name)
        if expected and (actual := digest_path(path)) != expected:
            raise BadInput(
                f"the content is not what its producer wrote (digest {actual[:12]}, expected {expected[:12]})",
                where=str(path),
                remedy="run the producing step again",
            )


def _write_executor_output(path: Path, call: Call, outputs: Sequence[str]) -> None:
    """Write parameter values and metadata per artifact. Kubeflow's launcher merges them into its records."""
    values = dict(call.results)
    artifacts: dict[str, Any] = {}
    for name, where in call.outputs.items():
        metadata = dict(call.metadata.get(name, {}))
        if name in outputs:
            values[f"{name}_digest"] = metadata["digest"] = digest_path(where)
        artifacts[name] = {"artifacts": [{"name": name, "metadata": metadata}]}
    write_text(path, json.dumps({"parameterValues": values, "artifacts": artifacts}, allow_nan=False, indent=1))


def program(
    declared: Step, work: Callable[[Call], None], argv: Sequence[str] | None = None, *, settings: type[BaseModel] | None = None
) -> int:
    """Run a step as a command-line program and return its exit status.

    Args:
        declared: what the step reads and writes.
        work: the work of the step; it writes the paths in `call.outputs` and calls `call.result`.
        settings: pydantic model of the parameter `settings`, for a step that has it.

    Returns:
        0, or 2 after one `error: …` line on standard error if the caller can correct the input.
    """
    limit_umask()
    args = vars(_parser(declared, settings).parse_args(argv))
    try:
        call = Call(
            inputs={name: args[name] for name in declared.names("input")},
            outputs={name: args[name] for name in declared.names("output", "view") if args[name] is not None},
            parameters={port.name: _value(port, args[port.name]) for port in declared.of("parameter") if port.name != SETTINGS},
            settings=parse_settings(settings, args[SETTINGS]) if settings else None,
            digests={name: args[f"{name}_digest"] for name in declared.names("input")},
        )
        _check_inputs(call)
        for path in call.outputs.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        work(call)
        if args["executor_output"]:
            _write_executor_output(args["executor_output"], call, declared.names("output"))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return BAD_INPUT
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        where = error.filename or os.fspath(next(iter(call.outputs.values()), "output"))
        remedy = "no partial output is left; free disk space or choose another folder, then run again"
        print(f"error: {where}: {os.strerror(error.errno).lower()}; {remedy}", file=sys.stderr, flush=True)
        return BAD_INPUT
    return 0
