"""Settings and lineage of a run or a version as readable rows: `train.epochs = 10` instead of nested JSON."""

import json
from collections.abc import Mapping
from typing import Any

from robo_poet.judges.gate import Gate

SHOWN_DIGITS = 12  # of a digest; `--json` has all 64
DROPPED = "dropped"
NO_SETTINGS = ("remedies", "checkpoint_root", "secrets")  # they follow from other settings, or are places


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested objects by dotted key. An empty object is a leaf, and so is a list."""
    if isinstance(value, Mapping) and value:
        return {
            key: leaf for name, inner in value.items() for key, leaf in flatten(inner, f"{prefix}.{name}" if prefix else str(name)).items()
        }
    return {prefix: value}


def setting_values(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a lineage by dotted key. A gate is `gates.perplexity` with its bound as text.

    Args:
        settings: the `settings` of a lineage; sections by name, `seed`, and the list `gates`.
    """
    sections = {name: value for name, value in settings.items() if name not in (*NO_SETTINGS, "gates")}
    gates = settings.get("gates") or ()
    return (flatten(sections) if sections else {}) | dict(map(_gate_value, gates))


def _gate_value(gate: Mapping[str, Any]) -> tuple[str, str]:
    where = f"[{gate['slice']}]" if gate.get("slice") else ""
    against = ".against_champion" if gate.get("against") else ""
    key = f"gates.{gate.get('metric')}{where}{against}"
    try:
        bound = Gate(**gate).bound
    except TypeError:  # a field of another release
        return key, json.dumps(gate, sort_keys=True)
    return key, f"{bound}, if unknown: {gate['on_unknown']}" if gate.get("on_unknown") else bound


def changed_values(settings: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `settings` that differ from those of `base`, by dotted key. A gate that only `base` has is `dropped`."""
    values, before = setting_values(settings), setting_values(base)
    changed = {key: value for key, value in values.items() if key not in before or before[key] != value}
    return changed | {key: DROPPED for key in before if key not in values and key.startswith("gates.")}


def value_text(value: Any) -> str:
    """Return a setting's value as it is typed after `--set KEY=`."""
    if isinstance(value, list) and not any(isinstance(item, Mapping | list) for item in value):
        return f"[{', '.join(map(str, value))}]"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def changes_text(changed: Mapping[str, Any]) -> str:
    """Return changed settings in one line, such as `train.epochs=10, gates.perplexity <= 50`; empty if there are none."""
    return ", ".join(f"{key}{' ' if key.startswith('gates.') else '='}{value_text(value)}" for key, value in changed.items())


def lineage_rows(lineage: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a version was made from as (what, value): shortened digests, the number of code digests, changed settings.

    Versions of older releases do not say which profile they used; their settings are only counted.
    """
    rows = [
        (name.replace("_", " "), _short(lineage[key]) if key.endswith("digest") else str(lineage[key]))
        for key, name in (("model", "model"), ("source", "corpus"), ("source_digest", "digest of the source"), ("profile", "profile"))
        if lineage.get(key)
    ]
    inputs = lineage.get("inputs") or {}
    rows += [(f"digest of {name.replace('_', ' ')}", _short(digest)) for name, digest in inputs.items()]
    if code := lineage.get("code"):
        rows.append(("code", f"of {len(code)} step{'s' * (len(code) != 1)}; --json prints their digests"))
    changed = lineage.get("changed") or {}
    values = setting_values(lineage.get("settings") or {})
    if values or changed:
        count = f"{len(changed)} of {len(values)} differ from the profile" if "changed" in lineage else f"{len(values)}"
        rows.append(("settings", f"{count}; --json prints all"))
    rows += [(f"  {key}", value_text(value)) for key, value in changed.items()]
    shown = {"model", "source", "source_digest", "profile", "inputs", "code", "settings", "changed"}
    return rows + [(key, value_text(value)) for name in lineage if name not in shown for key, value in flatten(lineage[name], name).items()]


def _short(digest: Any) -> str:
    return str(digest)[:SHOWN_DIGITS]
