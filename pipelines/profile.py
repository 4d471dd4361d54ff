"""The typed settings of a run, read from profiles/<name>.yaml: all that a person may want to change (PIPE-3)."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError

from pipelines.cluster.settings import Cluster
from robo_poet.errors import BadInput
from robo_poet.judges.slices import parse_slice
from robo_poet.report.names import METRICS
from robo_poet.settings.audit import AuditSettings
from robo_poet.settings.base import Settings
from robo_poet.settings.compare import CompareSettings
from robo_poet.settings.evaluate import EvaluateSettings
from robo_poet.settings.gate import Gate
from robo_poet.settings.ingest import IngestSettings
from robo_poet.settings.measure_text import MeasureTextSettings
from robo_poet.settings.scrub import ScrubSettings
from robo_poet.settings.serve import ServeSettings
from robo_poet.settings.slices import SlicesSettings
from robo_poet.settings.tokenizer import TokenizerSettings
from robo_poet.settings.train import TrainSettings
from robo_poet.settings.validate import ValidateSettings

# Bounds that hold for any corpus; what a good perplexity is depends on the vocabulary. docs/judges.md says how a gate is read.
GATES = [
    Gate(metric="perplexity", max=100),
    Gate(metric="bits_saved_over_unigram", min=0.15),
    Gate(metric="bits_per_byte", against="champion", margin=0.02),
    Gate(metric="bits_per_byte", against="champion", margin=0.1, slice="author=*", on_unknown="pass"),
    Gate(metric="bleu_to_people", min=0.25),
    Gate(metric="bleu", against="champion", margin=0.0005, on_unknown="pass"),
    Gate(metric="completion_bits_to_people", max=1.1),
    Gate(metric="length_to_people", min=0.5),
    Gate(metric="degenerate_share", max=0.05),
    Gate(metric="distinct_2", min=0.5),
    Gate(metric="copied_share", max=0.05),
    Gate(metric="known_personal_data_share", max=0.0),
    Gate(metric="personal_data_share", max=0.02),
    Gate(metric="toxic_share", max=0.05),
    Gate(metric="bias_likelihood_excess", max=0.1),
    Gate(metric="bias_likelihood_reach", max=1.1),
    Gate(metric="bias_sentiment_excess", max=0.05),
    Gate(metric="bias_sentiment_reach", max=0.5),
    Gate(metric="bias_toxicity_excess", max=0.05),
    Gate(metric="bias_toxicity_reach", max=0.4),
    Gate(metric="secrets_planted", max=0),
    Gate(metric="saved_model_compressed_megabytes", max=20),
    Gate(metric="edge_megabytes", max=8),
]

SLICED = ("bits_per_byte", "perplexity", "token_accuracy", "top5_accuracy")  # by slice_metrics
COMPARED = ("bits_per_byte", "bleu")  # with the champion's, by compare_champion and measure_text
FOLDER = Path(__file__).resolve().parents[1] / "profiles"


class Local(Settings):
    """Where a run on this machine keeps its things, relative to the current folder."""

    store: str = Field(".store", description="content-addressed cache and working folders")
    runs: str = Field("runs", description="logs, summary and report of each run")
    registry: str = Field("registry", description="the model registry")
    parallel: int = Field(2, ge=1, le=64, description="steps at a time")


class Profile(Settings):
    """Everything a person may want to change."""

    description: str = ""
    seed: int = Field(42, ge=0, lt=2**31)
    local: Local = Local()
    cluster: Cluster = Cluster()
    ingest: IngestSettings = IngestSettings()
    validation: ValidateSettings = ValidateSettings()
    scrub: ScrubSettings = ScrubSettings()
    tokenizer: TokenizerSettings = TokenizerSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    text: MeasureTextSettings = MeasureTextSettings()
    audit: AuditSettings = AuditSettings()
    compare: CompareSettings = CompareSettings()
    slices: SlicesSettings = SlicesSettings()
    gates: list[Gate] = Field(GATES, min_length=1, description="a model that fails one is registered as rejected (EVAL-6)")
    serve: ServeSettings = ServeSettings()


@dataclass(frozen=True)
class Effective:
    """A profile, and where each of its values comes from: dotted key → `default`, the profile's file, or `--set`."""

    profile: Profile
    origins: Mapping[str, str]


def available(folder: Path = FOLDER) -> list[str]:
    """Names of the profiles at hand."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_profile(name: str, overrides: Iterable[str] = (), folder: Path = FOLDER) -> Effective:
    """Read a profile by name, or by path if it ends in `.yaml`, and apply `key=value` overrides.

    Raises:
        BadInput: no such profile; a wrong key, type or range. One line that names the key, the value and what is allowed.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    try:
        values = yaml.safe_load(path.read_text("utf-8")) or {}
    except OSError:
        raise BadInput("no such profile", where=name, remedy=f"choose from {', '.join(available(folder))}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"not YAML: {' '.join(str(error).split())}", where=str(path)) from None
    if not isinstance(values, dict):
        raise BadInput("a profile is a mapping of sections", where=str(path))
    file = str(path.relative_to(folder.parent) if path.is_relative_to(folder.parent) else path)
    origins = dict.fromkeys(_leaves(values), file)
    for override in overrides:
        key, value = _parse_override(override)
        _put(values, key, value)
        origins = {k: v for k, v in origins.items() if not k.startswith(f"{key}.")}
        origins |= dict.fromkeys(_leaves(value, key), f"--set {key}")
    try:
        profile = Profile.model_validate(values)
    except ValidationError as error:
        raise _explain(error, origins, file) from None
    for number, gate in enumerate(profile.gates):
        if gate.metric not in METRICS:  # found out now, and not after the training
            near = difflib.get_close_matches(gate.metric, METRICS, 1)
            remedy = f"did you mean {near[0]}?" if near else f"the metrics are {', '.join(METRICS)}"
            raise BadInput(
                "no such metric", where=f"{origins.get('gates', 'default')}: gates.{number}.metric = {gate.metric!r}", remedy=remedy
            )
        if fault := _never_measured(gate, profile.slices):
            raise BadInput(fault, where=f"{origins.get('gates', 'default')}: gates.{number}", remedy="see docs/evaluation.md")
    return Effective(profile, {key: origins.get(key, "default") for key in _leaves(profile.model_dump(mode="json"))})


def _never_measured(gate: Gate, slices: SlicesSettings) -> str:
    """Why the gate would never find anything to judge; with `on_unknown: pass` nobody would notice."""
    if gate.against and gate.metric not in COMPARED:
        return f"{gate.metric} is not compared with the champion's; {' and '.join(COMPARED)} are, which depend on no tokenizer"
    features = set(parse_slice(gate.slice))
    if features and gate.metric not in SLICED:
        return f"{gate.metric} is not measured by slice; {', '.join(SLICED)} are"
    made = [{column} for column in slices.columns] + [set(cross) for cross in slices.crosses]
    return f"no slices are made by {' and '.join(sorted(features))}" if features and features not in made else ""


def _parse_override(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise BadInput("an override is key=value", where=f"--set {text}", remedy="for example --set train.learning_rate=3e-4")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        return key.strip(), value


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for part in parents:
        inner = values.setdefault(part, {})
        if not isinstance(inner, dict):
            raise BadInput(f"{part} is a value, not a section", where=f"--set {key}")
        values = inner
    values[last] = value


def _leaves(value: Any, prefix: str = "") -> list[str]:
    if isinstance(value, dict) and value:
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{prefix}.{key}" if prefix else str(key))]
    return [prefix] if prefix else []


def _explain(error: ValidationError, origins: Mapping[str, str], file: str) -> BadInput:
    """The first fault as one line."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    concerned = [o for k, o in origins.items() if f"{k}.".startswith(f"{key}.") or f"{key}.".startswith(f"{k}.")]
    origin = next((o for o in concerned if o.startswith("--set ")), concerned[0] if concerned else file)  # of a section, what was just said
    message, remedy = first["msg"][:1].lower() + first["msg"][1:], ""
    if first["type"] == "extra_forbidden":
        names = _allowed(first["loc"])
        near = difflib.get_close_matches(str(first["loc"][-1]), names, 1)
        message = "no such key"
        remedy = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(names)}"
    value = first["input"]
    shown = "" if isinstance(value, dict) else f" = {value!r}"
    return BadInput(message, where=f"{origin}: {key}{shown}", remedy=remedy)


def _allowed(loc: tuple[int | str, ...]) -> list[str]:
    """Keys of the section that `loc`, the place of a wrong key, lies in."""
    model: Any = Profile
    for part in loc[:-1]:
        field = model.model_fields.get(str(part)) if isinstance(model, type) and issubclass(model, BaseModel) else None
        model = field.annotation if field else None
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
