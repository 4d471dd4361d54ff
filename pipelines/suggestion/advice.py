"""Advice for a corpus: its description, warnings, the suggested profile, and the time that each profile would take."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.profile.load import FOLDER, Effective, Profile, available, load_profile, parse_override, put
from pipelines.suggestion.choose import Choice, Suggestion, choose_splits, suggest
from pipelines.suggestion.duration import Duration, estimate_duration, machine_factor
from pipelines.suggestion.profile_file import profile_text
from robo_poet.atomic import write_text
from robo_poet.corpus.source import open_source
from robo_poet.corpus.source_digest import source_digest
from robo_poet.description.description import Description, Splits, describe
from robo_poet.description.warnings import corpus_warnings

AUTO = "auto"  # the profile whose settings depend on the corpus
GIVEN = "given by --set"
NOT_FOR_RUNS = ("base", "secrets", AUTO)  # profiles without an estimate: what all inherit, and measurements of memorisation


@dataclass(frozen=True)
class Advice:
    """What `robo-poet data describe` says.

    Attributes:
        splits: the splits of the suggested profile.
        suggestion: None if no model can be trained on the corpus.
        text: the suggested profile as YAML; empty without a suggestion.
        durations: profile → estimate for this machine; `suggested` is the suggested profile.
    """

    corpus: str
    description: Description
    splits: Splits
    warnings: tuple[str, ...]
    suggestion: Suggestion | None
    text: str
    durations: Mapping[str, Duration]

    def to_json(self) -> dict[str, Any]:
        """Return the advice as JSON values. Durations are in seconds."""
        suggestion = self.suggestion
        return {
            "corpus": self.corpus,
            **self.description.to_json(),
            "warnings": list(self.warnings),
            "seconds": {name: round(duration.seconds) for name, duration in self.durations.items()},
            "suggested": None
            if suggestion is None
            else {
                "settings": {choice.key: choice.value for choice in suggestion.choices},
                "reasons": {choice.key: choice.why for choice in suggestion.choices},
                "gates": [dict(gate) for gate, _ in suggestion.gates],
                "splits": asdict(self.splits)["sizes"],
            },
        }


def advise(source: str, profile: str, overrides: Iterable[str] = (), *, name: str = "", folder: Path = FOLDER) -> Advice:
    """Describe a corpus and suggest a profile for it.

    Args:
        source: an absolute path or a `gs://` address; empty for the bundled corpora of the profile.
        profile: the profile that reads the corpus (columns, splits, policies) and that the suggestion extends.
        overrides: `key=value`, as in `load_profile`; they become part of the suggested profile.
        name: name under which the suggested profile will be written; empty if it will not.

    Raises:
        BadInput: the profile or the corpus cannot be used, or the corpus changed while it was read.
    """
    overrides = list(overrides)
    settings = load_profile(profile, overrides, folder).profile
    digest = source_digest(source)
    opened = open_source(source, digest, settings.ingest)
    description = describe(opened, digest, settings.ingest, settings.scrub, settings.seed)
    opened.verify()
    corpus = Path(source).name if source else opened.name
    splits, suggestion, text = choose_splits(description), suggest(description), ""
    if suggestion:
        suggestion = _override(suggestion, overrides)
        if any(choice.key.startswith("ingest.split") and choice.why == GIVEN for choice in suggestion.choices):
            splits = description.splits
        extends = str(Path(profile).resolve()) if profile.endswith((".yaml", ".yml")) else profile
        sets = [word for override in overrides for word in ("--set", override)]
        arguments = shlex.join(["-p", profile, *sets, "--write-profile", name, "--force"]) if name else ""
        text = profile_text(suggestion, extends=extends, corpus=corpus, digest=digest, arguments=arguments)
    return Advice(
        corpus, description, splits, (*opened.warnings, *corpus_warnings(description, splits)), suggestion, text,
        _durations(description, splits, settings, suggestion, folder),
    )  # fmt: skip


def _override(suggestion: Suggestion, overrides: Iterable[str]) -> Suggestion:
    """Return the suggestion with the values of `--set` in place of its own. Changes of gates are left to `--set`."""
    values: dict[str, Any] = {}
    for override in overrides:
        key, value = parse_override(override)
        put(values, key, value)
    chosen = [
        Choice(f"{section}.{key}", value, GIVEN)
        for section, inner in values.items()
        if isinstance(inner, dict)
        for key, value in inner.items()
    ]
    chosen += [Choice(key, value, GIVEN) for key, value in values.items() if not isinstance(value, dict) and key != "gates"]
    keys = {choice.key for choice in chosen}
    return replace(suggestion, choices=(*(choice for choice in suggestion.choices if choice.key not in keys), *chosen))


def auto_path(advice: Advice, store: Path) -> Path:
    """Return the path of the suggested profile in the store. The same corpus and settings have the same path."""
    name = "".join(character if character.isalnum() else "-" for character in advice.corpus.casefold())[:40]
    return store / AUTO / f"{name}-{advice.description.digest[:12] or 'bundled'}.yaml"


def write_auto(advice: Advice, store: Path) -> Path:
    """Write the suggested profile to the store, and return its path."""
    path = auto_path(advice, store)
    write_text(path, advice.text)
    return path


def _durations(
    description: Description, splits: Splits, settings: Profile, suggestion: Suggestion | None, folder: Path
) -> dict[str, Duration]:
    """Return the estimates of the suggested profile and of the profiles of the repository. Empty if no model can be trained."""
    if suggestion is None:
        return {}
    factor = machine_factor()
    values = settings.model_dump()
    for choice in suggestion.choices:
        if choice.why != GIVEN:  # the values of --set are in the settings already
            put(values, choice.key, choice.value)
    profiles = {"suggested": Profile.model_validate(values)}
    for name in available(folder):
        effective: Effective = load_profile(name, folder=folder)
        if name not in NOT_FOR_RUNS and not effective.profile.described.digest:
            profiles[name] = effective.profile
    durations = {}
    for name, profile in profiles.items():
        sizes = (splits if name == "suggested" else description.splits).sizes
        training = sizes["train"].megabytes
        durations[name] = estimate_duration(profile, description, training, sizes["validation"].megabytes + sizes["test"].megabytes, factor)
    return durations
