"""Sections of a report: gates, metrics, samples, lineage, comparison with the champion, slices, bias, safety, limits (EVAL-3 to EVAL-5)."""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from robo_poet.judges.metrics import interval_text, metric_name, metric_text, no_interval_text, ordered, signed_text
from robo_poet.report.forest import ForestRow, forest
from robo_poet.report.gate_rows import HEAD, PASS_BY_VALUE, QUESTION_HEAD, gate_row, question_rows
from robo_poet.report.lineage_rows import flatten


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table; all cells are escaped."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def gates_section(decision: Mapping[str, Any]) -> str:
    """Return the verdict, its reason, the open questions, the remedies of a rejection, and the table of gates."""
    rows = [gate_row(gate) for gate in decision["gates"]]
    verdict, reason = escape(decision["verdict"]), f": {escape(decision['reason'])}" if decision.get("reason") else ""
    passed = sum(gate["verdict"] == "pass" for gate in decision["gates"])
    by_value = sum(row.verdict == PASS_BY_VALUE for row in rows)
    summary = f'<p><span class="badge {verdict}">{verdict}</span> {passed} of {len(rows)} gates passed{reason}.</p>'
    if by_value:
        summary += f"<p>{by_value} of them pass by value: the measured value keeps the bound, but its interval reaches beyond it.</p>"
    questions = question_rows(decision["gates"])
    if questions:
        summary += f"<p>{len(questions)} open: too little was measured to judge.</p>{table(QUESTION_HEAD, questions)}"
    if remedies := _remedies(decision["gates"]):
        summary += f"<p>To change the verdict:</p>{table(('gate that failed', 'run again with'), remedies)}"
    return summary + table(HEAD, [row.cells for row in rows])


def _remedies(gates: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(gate_row(gate).name, gate["remedy"]) for gate in gates if gate["verdict"] == "fail" and gate.get("remedy")]


def metrics_section(card: Mapping[str, Any]) -> str:
    """Return all metrics with interval, human reference, and band if one is defined."""
    human = card.get("people", {})
    rows = [
        [
            metric_name(name), metric_text(name, value), interval_text(name, card["intervals"].get(name))
            or no_interval_text(card.get("shortages", {}).get(name)),
            metric_text(name, human[name]) if human.get(name) is not None else "", card["bands"].get(name, ""),
        ]
        for name, value in ordered(card["metrics"])
    ]  # fmt: skip
    on = card["measured_on"]
    counts = [f"over {on['units']:,} {on['unit']}s"] if on.get("units") else []
    if on.get("text_units"):
        unit = on.get("text_unit") or on["unit"]
        counts.append(f"intervals of completions over the {on['text_units']:,} {unit}s of {on['continuations']:,} prompts")
    how = f"Intervals are 95 % confidence intervals{' ' if counts else ''}{'; '.join(counts)}."
    size = f"On {on['documents']:,} held-out documents, {on['tokens']:,} tokens."
    semantics = f" Semantic similarity: cosine by {escape(on['semantic_method'])}." if on.get("semantic_method") else ""
    return f"<p>{size} {how} Human text: the reference text after each prompt.{semantics}</p>" + table(
        ["metric", "model", "95 % interval", "human text", "band"], rows
    )


def samples_section(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return random samples, then the best and the worst samples by some metric, all unedited."""
    if not samples["drawn"]:
        return "<p>No samples: no held-out document is long enough for a prompt.</p>"
    sections = ["<p>The prompt, in grey, is held-out text. These samples are random:</p>", *map(_sample, samples["drawn"])]
    for name, heading in (("good", "Closest to the prompt"), ("bad", "Worst on at least one metric")):
        if samples.get(name):
            sections.append(f"<h3>{heading}</h3>")
            sections += [_selected_sample(sample) for sample in samples[name]]
    return "".join(sections)


def _sample(sample: Mapping[str, Any]) -> str:
    return f'<pre><span class="faint">{escape(sample["prompt"])}</span>{escape(sample["text"])}</pre>'


def _selected_sample(sample: Mapping[str, Any]) -> str:
    why = ", ".join(f"{metric_name(metric)} {metric_text(metric, value)}" for metric, value in sample["picked_by"].items())
    return f'<p class="faint">{escape(why)}</p>{_sample(sample)}'


def lineage_section(lineage: Mapping[str, Any]) -> str:
    """Return the section about the source, settings and code of the training. Long lists are folded."""
    leaves = flatten(lineage) if lineage else {}
    rows = [[name, value if isinstance(value, str) else json.dumps(value)] for name, value in leaves.items() if value != {}]
    main_rows = [row for row in rows if not row[0].startswith(("settings.", "code."))]
    sections = [table(["what", "value"], main_rows)] if main_rows else []
    for name in ("settings", "code"):
        group_rows = [[key.removeprefix(f"{name}."), value] for key, value in rows if key.startswith(f"{name}.")]
        if group_rows:
            sections.append(f"<details><summary>{name}, {len(group_rows)} values</summary>{table([name, 'value'], group_rows)}</details>")
    return "".join(sections)


SAFETY = (
    "toxic_share", "sentiment", "personal_data_share", "known_personal_data_share", "copied_share",
    "copied_share_above_people", "longest_copy_median", "longest_copy_max", "degenerate_share", "empty_share",
)  # fmt: skip
MOST_SLICES, MOST_GROUPS = 14, 16  # most rows drawn; the tables and the data have all
LANGUAGES = {"en": "English", "es": "Spanish"}
BIAS_MEASURES = {
    "likelihood": "How much likelier is the stereotype of a group after words for this group than after words for its counterpart? "
    "Log odds in nats; 0: equal.",
    "sentiment": "How much lower is the sentiment of completions about the group than about its counterpart? From −2 to 2; above 0: lower.",
    "toxicity": "How much more toxic are completions about the group than about its counterpart? From −1 to 1; above 0: more toxic.",
}


def champion_section(card: Mapping[str, Any]) -> str:
    """Return the comparison with the champion as HTML: a table, or only the reason why there is no comparison."""
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
        summary += " Both models give every document the same likelihood: this is the same model, or a copy of it."
    compared_texts = "".join(map(_sample_beside_champion, card["samples"].get("beside_champion", ())))
    if compared_texts:
        compared_texts = f"<h3>Samples side by side</h3><p>The same prompts, in grey. These samples are random.</p>{compared_texts}"
    return f"<p>{escape(summary)}</p>" + table(["", "this model", "champion", "difference", "95 % interval"], rows) + compared_texts


def _sample_beside_champion(sample: Mapping[str, str]) -> str:
    columns = "".join(
        f"<div><h4>{name}</h4><pre>{escape(sample[key])}</pre></div>" for name, key in (("This model", "text"), ("Champion", "champion"))
    )
    return f'<div class="beside"><pre class="faint">{escape(sample["prompt"])}</pre>{columns}</div>'


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
        for record in measured[:MOST_SLICES]
    ]  # fmt: skip
    overall = next((record["metrics"]["bits_per_byte"]["value"] for record in records if not record["slice"]), None)
    drawn = forest(rows, names=("model", "champion"), what="bits per byte", reference=overall)
    more = f" Shown: the {MOST_SLICES} worst of {len(measured)} slices." if len(measured) > MOST_SLICES else ""
    return (
        '<p class="faint">Lower is better. The line is the value on all held-out text. '
        f"Faint rows have too few documents to judge.{more}</p>{drawn}"
        if drawn
        else "<p>No slice was measured.</p>"
    )


def bias_section(bias: Mapping[str, Any]) -> str:
    """Return the gaps between counterfactual groups, the widest first, with intervals that hold for all groups together."""
    sections = []
    measured = [row for row in bias.get("groups", []) if row["gap"]["value"] is not None]
    for measure, description in BIAS_MEASURES.items():
        by_language: dict[str, list[Mapping[str, Any]]] = {}
        for row in measured:
            if row["measure"] == measure:
                by_language.setdefault(row["language"], []).append(row)
        plots = [_gap_plot(measure, language, groups, named=len(by_language) > 1) for language, groups in by_language.items()]
        if any(plots):
            sections.append(f'<h3>{measure.capitalize()}</h3><p class="faint">{escape(description)}</p>{"".join(plots)}')
    if not sections:
        return "<p>Not measured.</p>"
    texts = [
        [f"{row['axis']}: {group_name(row['group'], row.get('language', 'en'))}", row["text"], row["reference"], f"{row['gap']:+.3f}"]
        for row in bias.get("examples", [])
    ]  # fmt: skip
    folded = f"<details><summary>Pairs with the largest gap</summary>{table(['group', 'text', 'its counterpart', 'gap'], texts)}</details>"
    return "".join(sections) + (folded if texts else "")


def _gap_plot(measure: str, language: str, gaps: Sequence[Mapping[str, Any]], *, named: bool) -> str:
    """Return the plot of the groups of one language, the widest gap first. `named` adds the language as a heading."""
    widest = sorted(gaps, key=lambda row: -abs(row["gap"]["value"]))[:MOST_GROUPS]
    rows = [
        ForestRow(
            f"{row['axis']}: {group_name(row['group'], language)} against {group_name(row['reference'], language)}",
            f"{row['pairs']:,} pairs", row["together"],
        )
        for row in widest
    ]  # fmt: skip
    title = LANGUAGES.get(language, language)
    more = f"Shown: the {MOST_GROUPS} widest of {len(gaps)} groups." if len(gaps) > MOST_GROUPS else ""
    heading = (f"<h4>{escape(title)}</h4>" if named else "") + (f'<p class="faint">{more}</p>' if more else "")
    return f"{heading}{forest(rows, names=('model', ''), what=f'gap in {measure}, {title}', reference=0.0, line='no gap', digits=3)}"


# names of peoples, religions and countries, which English writes with a capital; adjectives of colour as style guides advise since 2020
_CAPITAL = re.compile(
    r"\b(?:black(?=s?\b)|jew|muslim|christian|hindu|buddhist|sikh|catholic|protestant|mormon|arab|asian|african|american|latin|hispanic|mexican|"
    r"indian|chinese|japanese|korean|european|german|french|spaniard|spanish|italian|polish|russian|turk|roma\b|moroccan|irish|english|british|"
    r"indigenous|native(?= american)|middle(?= eastern)|eastern)"
)


def group_name(group: str, language: str = "en") -> str:
    """Return the label of a group: spaces for hyphens. In English, names of peoples and religions get a capital ("Black Americans")."""
    name = group.replace("-", " ")
    return _CAPITAL.sub(lambda match: match.group().capitalize(), name) if language == "en" else name


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
    html = table(["completions", "model", "95 % interval", "human text"], rows)
    kinds = [[kind, str(count["found"]), str(count["in_training"])] for kind, count in card.get("personal_data", {}).items()]
    if kinds:
        html += "<h3>Personal data in completions</h3>" + table(["kind", "completions", "of these in the training text"], kinds)
    return html + _canaries(metrics)


def _canaries(metrics: Mapping[str, Any]) -> str:
    rows = [[metric_name(name), metric_text(name, value)] for name, value in metrics.items() if name.startswith("secret")]
    if not rows:
        reason = "no canary strings were planted in the training text (the profile `secrets` plants some)"
        return f'<p class="faint">Memorisation of canary strings was not measured: {reason}.</p>'
    return "<h3>Planted canary strings</h3>" + table(["", "value"], rows)


def limits_section(limits: Sequence[str]) -> str:
    """Return the limits as a list."""
    return "<ul>" + "".join(f"<li>{escape(limit)}</li>" for limit in limits) + "</ul>"
