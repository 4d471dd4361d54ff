"""Sections of a model card about groups: the champion, slices of the text, groups of persons, and safety (EVAL-3 to EVAL-5)."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from robo_poet.judges.metrics import interval_text, metric_name, metric_text, signed_text
from robo_poet.report.forest import ForestRow, forest
from robo_poet.report.results import table

SAFETY = (
    "toxic_share", "sentiment", "personal_data_share", "known_personal_data_share", "copied_share", "longest_copy_median",
    "longest_copy_max", "degenerate_share", "empty_share",
)  # fmt: skip
SLICES, GROUPS = 14, 16  # most rows drawn; the tables and the data have all
LANGUAGES = {"en": "English", "es": "Spanish"}
MEASURES = {
    "likelihood": "How much likelier is a group's stereotype after its own words than after its counterpart's? Log odds, nats; 0 is alike.",
    "sentiment": "How much less kind are completions about the group than about its counterpart? From −2 to 2; above 0 it is worse off.",
    "toxicity": "How much more abusive are completions about the group than about its counterpart? From −1 to 1; above 0 it is worse off.",
}


def champion_section(card: Mapping[str, Any]) -> str:
    """Return the comparison with the champion: its reason and a table."""
    comparison = card["champion"]
    if comparison.get("state") != "measured":
        return f"<p>{escape(str(comparison.get('reason', 'not compared')))}.</p>"
    bits, texts = comparison["bits_per_byte"], card["champion_texts"]
    compared = [("bits_per_byte", bits["new"], bits["champion"], bits["difference"])]
    compared += [
        (name, card["metrics"].get(name), texts["champion"].get(name), difference) for name, difference in texts["difference"].items()
    ]
    rows = [
        [
            metric_name(name), metric_text(name, new), metric_text(name, old), signed_text(name, difference["value"]),
            interval_text(name, (difference["low"], difference["high"]), signed_text),
        ]
        for name, new, old, difference in compared
    ]  # fmt: skip
    summary = (
        f"Version {comparison['champion']['version']} on the same documents and prompts. "
        f"{comparison['reason'][:1].upper()}{comparison['reason'][1:]}."
    )
    if comparison.get("identical"):
        summary += " Every document is exactly as likely to both: it is the same model, or a copy of it."
    return f"<p>{escape(summary)}</p>" + table(["", "this model", "champion", "difference", "95 % interval"], rows)


def slices_section(slices: Mapping[str, Any]) -> str:
    """Return a plot of the slices, the worst first."""
    records = slices.get("slices", [])
    measured = [record for record in records if record["slice"] and record["metrics"]["bits_per_byte"]["value"] is not None]
    measured.sort(key=lambda record: -record["metrics"]["bits_per_byte"]["value"])
    rows = [
        ForestRow(
            ", ".join(f"{column}: {value or '(none)'}" for column, value in record["slice"].items()), f"{record['documents']:,} documents",
            record["metrics"]["bits_per_byte"], record["champion"]["bits_per_byte"] if record.get("champion") else None,
            unsure=record["documents"] < slices.get("min_documents", 0),
        )
        for record in measured[:SLICES]
    ]  # fmt: skip
    overall = next((record["metrics"]["bits_per_byte"]["value"] for record in records if not record["slice"]), None)
    drawn = forest(rows, names=("model", "champion"), what="bits per byte", reference=overall)
    more = f" The {SLICES} worst of {len(measured)}." if len(measured) > SLICES else ""
    return (
        f'<p class="faint">Lower is better; the line is all held-out text. Faint: too few documents to judge.{more}</p>{drawn}'
        if drawn
        else "<p>No slice was measured.</p>"
    )


def bias_section(bias: Mapping[str, Any]) -> str:
    """Return the gaps between counterfactual groups, the widest first, with intervals that hold for all groups together."""
    sections = []
    measured = [row for row in bias.get("groups", []) if row["gap"]["value"] is not None]
    for measure, description in MEASURES.items():
        by_language: dict[str, list[Mapping[str, Any]]] = {}
        for row in measured:
            if row["measure"] == measure:
                by_language.setdefault(row["language"], []).append(row)
        plots = [_gaps(measure, language, groups, named=len(by_language) > 1) for language, groups in by_language.items()]
        if any(plots):
            sections.append(f'<h3>{measure.capitalize()}</h3><p class="faint">{escape(description)}</p>{"".join(plots)}')
    if not sections:
        return "<p>Not measured.</p>"
    texts = [
        [f"{row['axis']}: {row['group']}", row["text"], row["reference"], f"{row['gap']:+.3f}"] for row in bias.get("examples", [])
    ]  # fmt: skip
    folded = f"<details><summary>The pairs that differ most</summary>{table(['group', 'text', 'its counterpart', 'gap'], texts)}</details>"
    return "".join(sections) + (folded if texts else "")


def _gaps(measure: str, language: str, gaps: Sequence[Mapping[str, Any]], *, named: bool) -> str:
    """Return the plot of the groups of one language, the widest gap first. `named` adds the language as a heading."""
    widest = sorted(gaps, key=lambda row: -abs(row["gap"]["value"]))[:GROUPS]
    rows = [
        ForestRow(f"{row['axis']}: {_said(row['group'])} against {_said(row['reference'])}", f"{row['pairs']:,} pairs", row["together"])
        for row in widest
    ]  # fmt: skip
    title = LANGUAGES.get(language, language)
    more = f"The {GROUPS} widest of {len(gaps)}." if len(gaps) > GROUPS else ""
    heading = (f"<h4>{escape(title)}</h4>" if named else "") + (f'<p class="faint">{more}</p>' if more else "")
    return f"{heading}{forest(rows, names=('model', ''), what=f'gap in {measure}, {title}', reference=0.0, line='no gap', digits=3)}"


def _said(group: str) -> str:
    return group.replace("-", " ")


def safety_section(card: Mapping[str, Any]) -> str:
    """Return a table of toxicity, personal data, copied text and degenerate text, next to the human reference, and of canary strings."""
    metrics, human = card["metrics"], card.get("people", {})
    rows = [
        [
            metric_name(name), metric_text(name, metrics[name]), interval_text(name, card["intervals"].get(name)),
            metric_text(name, human[name]) if human.get(name) is not None else "",
        ]
        for name in SAFETY if name in metrics
    ]  # fmt: skip
    html = table(["of its completions", "model", "95 % interval", "people"], rows)
    kinds = [[kind, str(count["found"]), str(count["in_training"])] for kind, count in card.get("personal_data", {}).items()]
    if kinds:
        html += "<h3>Personal data in completions</h3>" + table(["kind", "found", "of which in the training text"], kinds)
    return html + _secrets(metrics)


def _secrets(metrics: Mapping[str, Any]) -> str:
    rows = [[metric_name(name), metric_text(name, value)] for name, value in metrics.items() if name.startswith("secret")]
    if not rows:
        reason = "none were planted in its training text (the profile `secrets` does that)"
        return f'<p class="faint">What this model would keep of a secret was not measured: {reason}.</p>'
    return "<h3>Planted secrets</h3>" + table(["", "value"], rows)


def limits_section(limits: Sequence[str]) -> str:
    """Return the limits as a list."""
    return "<ul>" + "".join(f"<li>{escape(limit)}</li>" for limit in limits) + "</ul>"
