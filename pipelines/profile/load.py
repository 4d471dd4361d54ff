"""Profiles: the typed settings of a run, read from profiles/<name>.yaml with inheritance and overrides (PIPE-3)."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from pipelines.profile.cluster import Cluster
from pipelines.profile.gates import PlacedGate, apply_changes, check_measured
from robo_poet.errors import BadInput, validation_message
from robo_poet.regular_file import read_limited
from robo_poet.report.lineage_rows import flatten
from robo_poet.settings.base import FolderOrBucket, LocalFolder, Settings
from robo_poet.settings.beam import BeamSettings
from robo_poet.settings.canary import CanarySettings
from robo_poet.settings.data import IngestSettings, ScrubSettings, TokenizerSettings, ValidateSettings
from robo_poet.settings.evaluation import AuditSettings, CompareSettings, EvaluateSettings, MeasureTextSettings, SlicesSettings
from robo_poet.settings.gate import CheckedGate
from robo_poet.settings.monitoring import MonitoringSettings
from robo_poet.settings.serve import ServeSettings
from robo_poet.settings.train import TrainSettings
from robo_poet.strict_yaml import parse_value, parse_yaml

LARGEST_FILE = 4_000_000  # bytes; the YAML reader accepts 1,000,000 characters
LONGEST_VALUE = 200  # characters of a wrong value in a message
DEEPEST = 20  # profiles that inherit from each other
BASE = "base"  # every profile inherits from it
FOLDER = Path(__file__).resolve().parents[2] / "profiles"


class Local(Settings):
    """Folders and parallelism of a run on this machine. Relative paths start at the current folder."""

    store: LocalFolder = Field(".store", description="folder of the cache and of working folders")
    runs: LocalFolder = Field("runs", description="folder of logs, summary and report of each run")
    registry: FolderOrBucket = Field("registry", description="the model registry: a folder, or gs://bucket/prefix")
    deletions: LocalFolder = Field("deletions", description="folder of the list of deleted documents, its key, and the receipts")
    parallel: int = Field(2, ge=1, le=64, description="maximum number of steps that run at the same time")


class Described(Settings):
    """The corpus that a profile was written for by `robo-poet data describe --write-profile`. A run on another content is refused."""

    corpus: str = Field("", description="name of the corpus, for messages")
    digest: str = Field("", description="digest of the corpus; empty accepts every corpus")
    arguments: str = Field("", description="arguments of `data describe` that write the profile again, without the corpus")


class Profile(Settings):
    """All settings of a run."""

    description: str = ""
    described: Described = Described()
    model: str = Field(
        "", description="name of the model in the registry; {corpus} stands for the name of the corpus; empty: the corpus's name"
    )
    seed: int = Field(42, ge=0, lt=2**31)
    local: Local = Local()
    cluster: Cluster = Cluster()
    ingest: IngestSettings = IngestSettings()
    validation: ValidateSettings = ValidateSettings()
    scrub: ScrubSettings = ScrubSettings()
    beam: BeamSettings = BeamSettings()
    tokenizer: TokenizerSettings = TokenizerSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    text: MeasureTextSettings = MeasureTextSettings()
    audit: AuditSettings = AuditSettings()
    compare: CompareSettings = CompareSettings()
    slices: SlicesSettings = SlicesSettings()
    gates: list[CheckedGate] = Field(min_length=1, description="a model that fails a gate is registered as rejected (EVAL-6)")
    serve: ServeSettings = ServeSettings()
    canary: CanarySettings = CanarySettings()
    monitoring: MonitoringSettings = MonitoringSettings()

    @model_validator(mode="after")
    def _check_retention(self) -> "Profile":
        hours, kept = self.canary.max_hours + self.canary.watch_hours, 24 * self.serve.outcomes.keep_days
        if hours >= kept:
            raise ValueError(
                f"a release may last {hours:g} h (canary.max_hours + canary.watch_hours), but its outcomes are removed after {kept:g} h; "
                "raise serve.outcomes.keep_days"
            )
        return self

    @model_validator(mode="after")
    def _check_quality_is_measured(self) -> "Profile":
        if not self.serve.outcomes.shadow_share and not {"quality"} & {*self.canary.only_veto, *self.canary.ignored}:
            raise ValueError(
                "a promotion has to prove the quality, but serve.outcomes.shadow_share 0 measures none; raise it, or add quality to "
                "canary.only_veto"
            )
        return self


@dataclass(frozen=True)
class Effective:
    """A profile and the origin of each of its values.

    Attributes:
        origins: dotted key → `default`, a profile's file, or `--set`.
        gates: each gate with its origin, including dropped gates, which `profile.gates` does not contain.
    """

    profile: Profile
    origins: Mapping[str, str]
    gates: tuple[PlacedGate, ...]


def available(folder: Path = FOLDER) -> list[str]:
    """Return the names of the profiles in `folder`, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_profile(name: str, overrides: Iterable[str] = (), folder: Path = FOLDER, *, text: str | None = None) -> Effective:
    """Read a profile by name, or by path if `name` ends in `.yaml`. Resolve inheritance, then apply `key=value` overrides.

    A profile inherits from the profile that `extends` names, or from `base` if this key is missing. Values replace inherited values
    by key. `gates` changes inherited gates by metric, slice and comparison.

    Args:
        text: content of the profile, if it is not read from its file.

    Raises:
        BadInput: no such profile, or a wrong key, type or range. The message names the key, the value and what is allowed.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    gates: list[PlacedGate] = []
    mistakes: list[BadInput] = []

    def change_gates(changes: Any, origin: str) -> list[PlacedGate]:
        try:
            return apply_changes(gates, changes, origin)
        except BadInput as mistake:
            mistakes.append(mistake)
            return gates

    for file, profile_values in _inheritance(name, folder, own=text):
        if "gates" in profile_values:
            gates = change_gates(profile_values.pop("gates"), file)
        _merge(values, profile_values, origins, file)
    for override in overrides:
        key, value = parse_override(override)
        if key == "gates":
            gates = change_gates(value, "--set gates")
            continue
        put(values, key, value)
        origins = {k: v for k, v in origins.items() if not k.startswith(f"{key}.")}
        origins |= dict.fromkeys(_leaves(value, key), f"--set {key}")
    used = [placed for placed in gates if not placed.dropped]
    try:
        profile = Profile.model_validate({**values, "gates": [placed.gate for placed in used]})
    except ValidationError as error:
        mistakes += [mistake for mistake in _explain(error, origins, file) if not (mistakes and mistake.where.startswith(f"{file}: gates"))]
        raise _all_in_one(mistakes) from None
    if mistakes:
        raise _all_in_one(mistakes)
    for placed in used:
        check_measured(placed, profile.slices)
    keys = _leaves(profile.model_dump(mode="json", exclude={"gates"}))
    return Effective(profile, {key: origins.get(key, "default") for key in keys}, tuple(gates))


def _inheritance(name: str, folder: Path, heirs: tuple[str, ...] = (), own: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Return the displayed file name and the values of `name` and of each profile that it inherits from, the most general first."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    file = str(path.relative_to(folder.parent) if path.is_relative_to(folder.parent) else path)
    if file in heirs:
        raise BadInput(f"a profile inherits from itself: {' → '.join([*heirs, file])}", where=f"{file}: extends")
    if len(heirs) >= DEEPEST:
        raise BadInput(f"more than {DEEPEST} profiles inherit from each other", where=f"{file}: extends", remedy="join some of them")
    values = _read(path, name, file, folder, own)
    parent = values.pop("extends", BASE)
    if not isinstance(parent, str):
        raise BadInput("must be the name of a profile or the path of a .yaml file", where=f"{file}: extends = {parent!r}")
    if path.resolve() == (folder / f"{BASE}.yaml").resolve():
        return [(file, values)]
    if parent.endswith((".yaml", ".yml")):
        parent = str(path.parent / parent)
    return [*_inheritance(parent, folder, (*heirs, file)), (file, values)]


def _read(path: Path, name: str, file: str, folder: Path, own: str | None) -> dict[str, Any]:
    """Return the values of a profile. `own` is its text, if it is not read from the file."""
    try:
        text = own if own is not None else read_limited(path, LARGEST_FILE).decode("utf-8")
    except BadInput as error:
        raise BadInput(error.what, where=file, remedy="give a YAML file with settings") from None
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise BadInput("not YAML: the file is not UTF-8", where=file, remedy="save it as UTF-8") from None
        names = available(folder)
        suggestions = difflib.get_close_matches(name, names, 1)
        choice = f"choose from {', '.join(names)}"
        remedy = f"did you mean {suggestions[0]}? Else {choice}" if suggestions else choice
        raise BadInput("no such profile", where=name, remedy=remedy) from None
    values = parse_yaml(text, where=file)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise BadInput("not a profile: the file must be a mapping of sections", where=file)
    return values


def _merge(values: dict[str, Any], profile_values: Mapping[str, Any], origins: dict[str, str], file: str, prefix: str = "") -> None:
    """Merge a profile's values into the inherited values, section by section. Record the origin of each value."""
    for key, value in profile_values.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value, origins, file, f"{dotted}.")
            continue
        values[key] = value
        for old in [known for known in origins if known == dotted or known.startswith(f"{dotted}.")]:
            del origins[old]
        origins.update(dict.fromkeys(_leaves(value, dotted), file))


def parse_override(text: str) -> tuple[str, Any]:
    """Split `key=value` and read the value as YAML.

    Raises:
        BadInput: there is no `=` or no key.
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise BadInput("not key=value", where=f"--set {text}", remedy="for example --set train.learning_rate=3e-4")
    return key.strip(), parse_value(value, where=f"--set {key.strip()}")


def put(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in nested sections.

    Raises:
        BadInput: a part of the key is a value, not a section.
    """
    *parents, last = key.split(".")
    for part in parents:
        inner = values.setdefault(part, {})
        if not isinstance(inner, dict):
            raise BadInput(f"{part} is a value, not a section", where=f"--set {key}")
        values = inner
    values[last] = value


def _leaves(value: Any, prefix: str = "") -> list[str]:
    return [key for key in flatten(value, prefix) if key]


def _explain(error: ValidationError, origins: Mapping[str, str], file: str) -> list[BadInput]:
    """Return each validation error as a one-line error."""
    return [_explain_one(details, origins, file) for details in error.errors(include_url=False)]


def _explain_one(details: ErrorDetails, origins: Mapping[str, str], file: str) -> BadInput:
    key = ".".join(str(part) for part in details["loc"])
    candidates = [o for k, o in origins.items() if f"{k}.".startswith(f"{key}.") or f"{key}.".startswith(f"{k}.")]
    # an override is the likely cause
    origin = next((o for o in candidates if o.startswith("--set ")), candidates[0] if candidates else file)
    value, message, remedy = details["input"], validation_message(details["msg"]), ""
    if details["type"] == "extra_forbidden":
        names = _allowed(details["loc"])
        suggestions = difflib.get_close_matches(str(details["loc"][-1]), names, 1)
        message = "no such key"
        remedy = f"did you mean {suggestions[0]}?" if suggestions else f"the allowed keys are {', '.join(names)}"
    elif details["type"] in ("list_type", "tuple_type", "set_type", "frozen_set_type") and isinstance(value, (str, int, float)):
        remedy = f"write [{value}]"
    value_text = "" if isinstance(value, dict) else f" = {_short(value)}"
    return BadInput(message, where=f"{origin}: {key}{value_text}" if key else origin, remedy=remedy)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text):,} characters)"


def _all_in_one(mistakes: Sequence[BadInput]) -> BadInput:
    """Return one error of one line for all mistakes of a profile."""
    if len(mistakes) == 1:
        return mistakes[0]
    return BadInput(f"{len(mistakes)} mistakes: {' '.join(f'({number}) {mistake}' for number, mistake in enumerate(mistakes, 1))}")


def _allowed(loc: tuple[int | str, ...]) -> list[str]:
    """Return the valid keys of the section that contains the wrong key at `loc`."""
    model: Any = Profile
    for part in loc[:-1]:
        field = model.model_fields.get(str(part)) if isinstance(model, type) and issubclass(model, BaseModel) else None
        model = field.annotation if field else None
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
