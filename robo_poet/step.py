"""The frame of a step: a program that reads the paths it is given and writes the paths it is given (architecture, contract 1).

Knows nothing of Kubeflow but its executor output file; knows nothing of what any step does.
"""

import argparse
import errno
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from robo_poet.atomic import write_text
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput

BAD_INPUT = 2  # exit status: the caller can mend it; 1 stays for defects of ours
SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass
class Call:
    """One run of a step: what it was given, and what it says of its outputs."""

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
        """Say how far the work is, at most twice a second; the display reads these lines from the log."""
        now = time.monotonic()
        if done < total and now - self._last_progress < 0.5:
            return
        self._last_progress = now
        share = 100 if total <= 0 else min(100, int(100 * done / total))
        print(f"[{share:3d} %] {text}".rstrip(), file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """Say something that does not stop the run; the scorecard repeats it."""
        print(f"warning: {' '.join(text.split())}", file=sys.stderr, flush=True)


def parse_settings(model: type[SettingsT], text: str, flag: str = "--settings") -> SettingsT:
    """Read a step's settings from JSON, given as `flag`.

    Raises:
        BadInput: not JSON, an unknown key, a wrong type or a value out of range; names the key and what is allowed.
    """
    try:
        return model.model_validate_json(text or "{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadInput(first["msg"].lower(), where=f"{flag}: {key} = {first['input']!r}") from None


def _parser(
    name: str,
    description: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    views: Sequence[str],
    parameters: Mapping[str, Any],
    optional: Sequence[str],
    settings: type[BaseModel] | None,
) -> argparse.ArgumentParser:
    lines = []
    for key, info in (settings.model_fields if settings else {}).items():
        default = "required" if info.is_required() else json.dumps(info.get_default(call_default_factory=True), default=str)
        lines.append(f"  {key} = {default}  {info.description or ''}")
    parser = argparse.ArgumentParser(
        prog=f"python -m components.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="settings (JSON):\n" + "\n".join(lines) if lines else None,
    )

    def flag(key: str) -> str:
        return "--" + key.replace("_", "-")

    for key in inputs:
        parser.add_argument(flag(key), required=True, type=Path, metavar="IN", help="input artifact")
        parser.add_argument(flag(key + "_digest"), default="", metavar="SHA256", help="its digest, checked if given")
    for key in outputs:
        parser.add_argument(flag(key), required=True, type=Path, metavar="OUT", help="output artifact")
    for key in views:
        parser.add_argument(flag(key), type=Path, metavar="OUT", help="output for people: metrics or a page")
    for key, kind in parameters.items():
        parser.add_argument(flag(key), required=True, type=kind, help=f"{getattr(kind, '__name__', 'value')}")
    for key in optional:
        parser.add_argument(flag(key), default="", help="may be left out")
    if settings:
        parser.add_argument("--settings", default="{}", metavar="JSON", help="settings, see below")
    parser.add_argument("--executor-output", type=Path, metavar="OUT", help="Kubeflow's executor output file")
    return parser


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
    """Write what Kubeflow's launcher merges into its records: parameter values, and metadata per artifact."""
    values = dict(call.results)
    artifacts: dict[str, Any] = {}
    for name, where in call.outputs.items():
        metadata = dict(call.metadata.get(name, {}))
        if name in outputs:
            values[f"{name}_digest"] = metadata["digest"] = digest_path(where)
        artifacts[name] = {"artifacts": [{"name": name, "metadata": metadata}]}
    write_text(path, json.dumps({"parameterValues": values, "artifacts": artifacts}, allow_nan=False, indent=1))


def program(
    name: str,
    work: Callable[[Call], None],
    argv: Sequence[str] | None = None,
    *,
    description: str | None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    views: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    optional: Sequence[str] = (),
    settings: type[BaseModel] | None = None,
) -> int:
    """Run a step as a command line program and return its exit status.

    Args:
        work: the step itself; it fills `call.outputs` and calls `call.result`.
        inputs: input artifacts; each also takes `--<name>-digest`, which is verified before the work begins.
        outputs: output artifacts; each yields an output parameter `<name>_digest`.
        views: output artifacts for people only (metrics, pages): no digest parameter, may be left out.
        parameters: other arguments, name → type.
        optional: other arguments of text, empty where they are left out.

    Returns:
        0, or 2 after one `error: …` line on standard error for what the caller can mend.
    """
    parameters = parameters or {}
    args = vars(_parser(name, description or "", inputs, outputs, views, parameters, optional, settings).parse_args(argv))
    try:
        call = Call(
            inputs={key: args[key] for key in inputs},
            outputs={key: args[key] for key in (*outputs, *views) if args[key] is not None},
            parameters={key: args[key] for key in (*parameters, *optional)},
            settings=parse_settings(settings, args["settings"]) if settings else None,
            digests={key: args[f"{key}_digest"] for key in inputs},
        )
        _check_inputs(call)
        for path in call.outputs.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        work(call)
        if args["executor_output"]:
            _write_executor_output(args["executor_output"], call, outputs)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return BAD_INPUT
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        where = error.filename or os.fspath(next(iter(call.outputs.values()), "output"))
        remedy = "nothing was half-written; free space or choose another folder and run again"
        print(f"error: {where}: {os.strerror(error.errno).lower()}; {remedy}", file=sys.stderr, flush=True)
        return BAD_INPUT
    return 0
