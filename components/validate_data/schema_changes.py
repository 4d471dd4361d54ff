"""Differences between two TFDV schemas in words, so that a person can review a change of the schema file (DATA-1)."""

from typing import Any

WORDS = {
    "type": "type",
    "presence.min_fraction": "smallest share of documents with a value",
    "presence.min_count": "smallest number of documents with a value",
    "value_count.min": "smallest number of values per document",
    "value_count.max": "largest number of values per document",
    "int_domain.min": "smallest value",
    "int_domain.max": "largest value",
    "float_domain.min": "smallest value",
    "float_domain.max": "largest value",
    "drift_comparator.jensen_shannon_divergence.threshold": "largest drift",
    "drift_comparator.infinity_norm.threshold": "largest drift",
    "annotation.comment": "comment",
    "lifecycle_stage": "stage",
}
MOST_VALUES = 5  # values of a domain that are listed


def schema_changes(before: Any, after: Any) -> list[str]:
    """Return one line per difference, by feature in the order of the schemas; empty if they say the same."""
    old, new = _rules(before), _rules(after)
    lines = [line for name in dict.fromkeys([*old, *new]) for line in _feature_changes(name, old.get(name), new.get(name))]
    rest_before, rest_after = _rest(before), _rest(after)
    return [*lines, *_value_changes("schema", rest_before, rest_after)]


def _feature_changes(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[str]:
    if old is None or new is None:
        return [f"{name}: {'added' if old is None else 'removed'} ({_summary(new or old or {})})"]
    return _value_changes(name, old, new)


def _value_changes(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    lines = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        if key == "values":
            lines += _domain_changes(name, was, now)
        else:
            lines.append(f"{name}: {WORDS.get(key, key.replace('_', ' ').replace('.', ' '))}: {_text(was)} → {_text(now)}")
    return lines


def _domain_changes(name: str, was: list[str] | None, now: list[str] | None) -> list[str]:
    if was is None or now is None:
        return [f"{name}: {'any value → one of ' + _listed(now or []) if was is None else 'one of ' + _listed(was) + ' → any value'}"]
    lines = []
    if added := [value for value in now if value not in was]:
        lines.append(f"{name}: new values: {_listed(added)}")
    if removed := [value for value in was if value not in now]:
        lines.append(f"{name}: values removed: {_listed(removed)}")
    return lines


def _listed(values: list[str]) -> str:
    more = f" and {len(values) - MOST_VALUES} more" if len(values) > MOST_VALUES else ""
    return ", ".join(values[:MOST_VALUES]) + more


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:,.10g}" if isinstance(value, int | float) else str(value)


def _summary(rules: dict[str, Any]) -> str:
    return ", ".join(f"{WORDS.get(key, key)} {_listed(value) if isinstance(value, list) else _text(value)}" for key, value in rules.items())


def _rules(schema: Any) -> dict[str, dict[str, Any]]:
    """Return feature → rule → value. A domain that the schema defines elsewhere counts as the feature's own."""
    domains = {domain.name: list(domain.value) for domain in schema.string_domain}
    result = {}
    for feature in schema.feature:
        rules = _flat(feature)
        rules.pop("name", None)
        if (domain := rules.pop("domain", None)) is not None:
            rules["values"] = domains.get(domain, [])
        for key in [key for key in rules if key.startswith("string_domain.")]:
            value = rules.pop(key)
            if key == "string_domain.value":
                rules["values"] = value
        result[feature.name] = rules
    return result


def _rest(schema: Any) -> dict[str, Any]:
    """Return the rules that are not about a single feature. Domains are part of their features."""
    rest = type(schema)()
    rest.CopyFrom(schema)
    rest.ClearField("feature")
    rest.ClearField("string_domain")
    return _flat(rest)


def _flat(message: Any) -> dict[str, Any]:
    """Return dotted field name → value of a protobuf message. Repeated messages are texts."""
    from google.protobuf.message import Message

    flat: dict[str, Any] = {}
    for field, value in message.ListFields():
        if isinstance(value, Message):
            children = _flat(value)
            flat |= {f"{field.name}.{name}": child for name, child in children.items()} if children else {field.name: "set"}
        elif not isinstance(value, int | float | str | bytes):  # repeated; how a descriptor says so depends on the release of protobuf
            flat[field.name] = [" ".join(str(item).split()) for item in value]
        else:
            flat[field.name] = field.enum_type.values_by_number[value].name if field.enum_type else value
    return {key: ", ".join(value) if isinstance(value, list) and key != "value" else value for key, value in flat.items()}
