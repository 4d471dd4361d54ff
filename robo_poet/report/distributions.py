"""Sections of the corpus page: findings with the documents concerned, drift, skew of prompts, and a histogram of each feature."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

WIDTH, HEIGHT, LABEL_HEIGHT = 400, 130, 18  # pixels; the drawing scales with the page
LONGEST_ID = 80  # characters of an id; a longer one is cut

STYLE = """
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: .4rem 1.6rem; }
.charts figure { margin: .6rem 0; min-width: 0; break-inside: avoid; } .charts figcaption { font-size: .9rem; margin-bottom: .2rem; }
.charts td { padding: .1rem .5rem .1rem 0; border: 0; font-size: .85rem; overflow-wrap: anywhere; }
.charts td.bar { width: 45%; overflow-wrap: normal; }
.bar div { height: .5rem; background: var(--accent); border-radius: 1px; } .bar div.before { background: var(--warn); margin-top: 1px; }
.key { display: inline-block; width: .8rem; height: .6rem; background: var(--accent); } .key.before { background: var(--warn); }
.before { fill: var(--warn); } .ids { overflow-wrap: anywhere; }
"""

_ENVIRONMENT = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
_ENVIRONMENT.filters["percent"] = lambda share: f"{100 * share:.1f} %"
_ENVIRONMENT.filters["short"] = lambda text: text if len(text) <= LONGEST_ID else f"{text[:LONGEST_ID]}…"
_ENVIRONMENT.filters["visible"] = lambda text: "".join(c if c.isprintable() else "\ufffd" for c in text)

FINDINGS = _ENVIRONMENT.from_string("""{% if not findings %}
<p class="ok">Nothing is wrong: no limit is exceeded, the schema fits, no feature drifted, and no prompts are skewed.</p>
{% else %}
<div class="scroll"><table>
<tr><th>verdict</th><th>what</th><th>documents</th></tr>
{% for one in findings %}
<tr><td class="{{ one.verdict }}">{{ "stops the run" if one.verdict == "fail" else "warning" }}</td><td>{{ one.what }}
{%- if one.meaning %}<br><span class="faint">{{ one.meaning }}</span>{% endif %}</td>
<td class="ids">{% for id in one.ids %}{{ id | visible | short }}{{ ", " if not loop.last }}{% endfor %}
{% if one.documents and one.documents > one.ids | length %} and {{ "{:,}".format(one.documents - one.ids | length) }} more{% endif %}
{% if not one.ids %}<span class="faint">the corpus as a whole</span>{% endif %}</td></tr>
{% endfor %}
</table></div>
{% endif %}
""")

DRIFT = _ENVIRONMENT.from_string("""{% if not drift.baseline %}
<p>Not measured: {{ drift.reason }}.</p>
{% else %}
<p>Compared with the corpus of version {{ drift.baseline.version }}, the champion ({{ "{:,}".format(drift.baseline.documents) }} documents).
A number is compared by the Jensen-Shannon divergence, a category by the largest difference of a share; both are between 0 and 1.
A feature drifted if the distance is above the limit and above what chance explains in samples of this size.</p>
{{ table }}
{% endif %}
""")

SKEW = _ENVIRONMENT.from_string("""{% if not skew.snapshot %}
<p>Not measured: {{ skew.reason }}.</p>
{% else %}
<p>{{ "{:,}".format(skew.snapshot.prompts) }} prompts of {{ "{:,}".format(skew.snapshot.users) }} users of the model
{{ skew.snapshot.model }}, {{ skew.snapshot.first_day }} to {{ skew.snapshot.last_day }}
(snapshot {{ skew.snapshot.digest[:12] }}), compared with
{{ "{:,}".format(skew.passages) }} passages of the training text that are as long as prompts. The distances and the limits are those of the
drift. A skewed feature means that the model is asked for texts unlike those that it is trained on.</p>
{{ table }}
{% endif %}
""")

DISTANCES = _ENVIRONMENT.from_string("""<div class="scroll"><table>
<tr><th>feature</th><th class="number">distance</th><th class="number">limit</th><th class="number">chance</th><th>verdict</th>
<th>what grew most</th></tr>
{% for one in rows %}
<tr><td>{{ one.label }}</td><td class="number">{{ "%.3f" | format(one.value) }}</td>
<td class="number">{{ "%.2f" | format(one.threshold) }}</td>
<td class="number">{{ "%.3f" | format(one.chance) }}</td>
<td class="{{ one.verdict }}">{{ few if one.verdict == "few" else "no " ~ word if one.verdict == "ok" else word }}</td>
<td>{% if one.verdict != "ok" %}{{ one.text.rpartition("; ")[2] }}{% endif %}</td></tr>
{% endfor %}
</table></div>
""")

DISTRIBUTIONS = _ENVIRONMENT.from_string("""<p>Share in each bin. <span class="key"></span> {{ own }}
{%- if other %}, <span class="key before"></span> {{ other }}{% endif %}.
Point at a bar to read its range. Bins have equal ratios where values span orders of magnitude.</p>
<div class="charts">
{% for chart in charts %}
<figure><figcaption>{{ chart.label }}
{%- if chart.unit %} <span class="faint">in {{ chart.unit | replace("share of", "% of") }}</span>{% endif %}
{%- if chart.verdict in ("warn", "fail", "ignored") %} <span class="{{ chart.verdict }}">{{ word }}</span>{% endif %}</figcaption>
{% if chart.kind == "number" %}
{{ chart.svg }}
{% else %}
<table>
{% for bin in chart.bins %}
<tr><td>{{ bin.text | visible | short }}</td><td class="bar"><div style="width: {{ "%.1f" | format(100 * bin.share) }}%"></div>
{% if bin.baseline is not none %}<div class="before" style="width: {{ "%.1f" | format(100 * bin.baseline) }}%"></div>{% endif %}</td>
<td class="number">{{ bin.share | percent }}{% if bin.baseline is not none %}<br><span class="faint">{{ bin.baseline | percent }}</span>
{%- endif %}</td></tr>
{% endfor %}
</table>
{% endif %}
</figure>
{% endfor %}
</div>
""")


def findings_section(findings: Sequence[Mapping[str, Any]]) -> str:
    """Return the findings as an HTML fragment.

    Args:
        findings: each has `verdict` (`warn` or `fail`), `what`, `meaning`, `ids` of documents, and `documents` (their number or None).
    """
    return FINDINGS.render(findings=sorted(findings, key=lambda finding: finding["verdict"] != "fail"))


def drift_section(drift: Mapping[str, Any]) -> str:
    """Return the artifact `drift` as an HTML fragment: one row per feature, those that drifted first."""
    return DRIFT.render(drift=drift, table=_distances(drift["features"], "drift", "too few documents"))


def skew_section(skew: Mapping[str, Any]) -> str:
    """Return the artifact `prompt_skew` as an HTML fragment: one row per feature, the skewed ones first."""
    return SKEW.render(skew=skew, table=_distances(skew["features"], "skew", "too few prompts"))


def _distances(features: Sequence[Mapping[str, Any]], word: str, few: str) -> Markup:
    """Return the rows of an artifact as a table.

    Args:
        word: the name of a distance beyond its limit.
        few: the verdict where chance explains the distance.
    """
    order = ("fail", "warn", "ignored", "few", "ok")
    rows = sorted(features, key=lambda row: (order.index(row["verdict"]), -row["value"]))
    return Markup(DISTANCES.render(rows=rows, word=word, few=few))


def data_drift(drift: Mapping[str, Any]) -> str:
    """Return the drift as a part of a model card, whose corpus section is above it."""
    return f"<h3>Drift from the champion's corpus</h3>\n{drift_section(drift)}"


def data_skew(skew: Mapping[str, Any]) -> str:
    """Return the skew of prompts as a part of a model card."""
    return f"<h3>Skew of prompts</h3>\n{skew_section(skew)}"


def distributions_section(charts: Sequence[Mapping[str, Any]], baseline: Mapping[str, Any] | None) -> str:
    """Return one chart per feature as an HTML fragment.

    Args:
        charts: each has `label`, `unit`, `kind`, `verdict` and `bins`; a bin has `text`, `share` and `baseline` (a share or None).
        baseline: the version that the baseline shares come from.
    """
    other = f"the corpus of version {baseline['version']}" if baseline else ""
    return DISTRIBUTIONS.render(charts=_drawn(charts, "before"), own="this corpus", other=other, word="drift")


def prompts_section(charts: Sequence[Mapping[str, Any]]) -> str:
    """Return one chart per feature of prompts as an HTML fragment; `charts` as in `distributions_section`, passages as the baseline."""
    return DISTRIBUTIONS.render(charts=_drawn(charts, "in the corpus"), own="prompts", other="passages of the training text", word="skew")


def _drawn(charts: Sequence[Mapping[str, Any]], other: str) -> list[Mapping[str, Any]]:
    return [{**chart, "svg": histogram(chart["bins"], chart["label"], other)} if chart["kind"] == "number" else chart for chart in charts]


def histogram(bins: Sequence[Mapping[str, Any]], label: str, other: str = "before") -> Markup:
    """Return the bars of one or two distributions over the same bins, labelled with the first, the middle and the last bin.

    Args:
        other: word for the second distribution.
    """
    highest = max(max(bin_["share"], bin_["baseline"] or 0.0) for bin_ in bins) or 1.0
    step = WIDTH / len(bins)
    compared = any(bin_["baseline"] is not None for bin_ in bins)
    gap = min(1.0, step / 8)
    bars = []
    for number, bin_ in enumerate(bins):
        tip = f"{bin_['text']}: {100 * bin_['share']:.1f} %" + (f", {other} {100 * bin_['baseline']:.1f} %" if compared else "")
        width = (step - 2 * gap) / (2 if compared else 1)
        for place, (share, style) in enumerate(((bin_["share"], ""), (bin_["baseline"], ' class="before"'))):
            if share is None or not share:
                continue
            height = max(1.0, (HEIGHT - LABEL_HEIGHT) * share / highest)
            bars.append(
                f'<rect{style} x="{number * step + gap + place * width:.1f}" y="{HEIGHT - LABEL_HEIGHT - height:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}"/>'
            )
        bars.append(
            f'<rect x="{number * step:.1f}" y="0" width="{step:.1f}" height="{HEIGHT - LABEL_HEIGHT}" fill="transparent">'
            f"<title>{escape(tip)}</title></rect>"
        )
    axis = f'<rect x="0" y="{HEIGHT - LABEL_HEIGHT}" width="{WIDTH}" height="1" fill="var(--line)"/>'
    marks = {0: "start", len(bins) - 1: "end"} if len(bins) > 1 else {0: "start"}
    texts = [
        f'<text x="{WIDTH if anchor == "end" else 0}" y="{HEIGHT - 4}" text-anchor="{anchor}">{escape(bins[number]["text"])}</text>'
        for number, anchor in marks.items()
    ]
    drawing = "".join([*bars, axis, *texts])
    return Markup(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="histogram: {escape(label)}">{drawing}</svg>')
