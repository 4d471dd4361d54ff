"""The corpus section of a report: size, splits, checks, a histogram of document lengths (artifact `statistics`), documents left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from robo_poet.corpus.curation.dropped import REASONS

WIDTH, HEIGHT, LABEL_HEIGHT = 640, 140, 18  # pixels; the drawing scales with the page


def histogram_svg(edges: Sequence[float], counts: Sequence[float], unit: str) -> Markup:
    """Return bars of `counts`, labelled with the outer and the middle `edges` (one more than counts); '' if there is no data."""
    if not counts or max(counts) <= 0:
        return Markup("")
    step = WIDTH / len(counts)
    bars = []
    for number, count in enumerate(counts):
        height = (HEIGHT - LABEL_HEIGHT) * count / max(counts)
        tip = escape(f"{edges[number]:,.0f} to {edges[number + 1]:,.0f} {unit}: {count:,.0f}")
        top = HEIGHT - LABEL_HEIGHT - height
        bars.append(
            f'<rect x="{number * step + 1:.1f}" y="{top:.1f}" width="{step - 2:.1f}" height="{height:.1f}"><title>{tip}</title></rect>'
        )
    middle = len(counts) // 2
    marks = [(0.0, "start", edges[0]), (middle * step, "middle", edges[middle]), (float(WIDTH), "end", edges[-1])]
    texts = [f'<text x="{x:.0f}" y="{HEIGHT - 4}" text-anchor="{anchor}">{edge:,.0f}</text>' for x, anchor, edge in marks]
    label = escape(f"histogram of {unit}")
    return Markup(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(bars + texts)}</svg>')


# Check → its name, the factor of the figure and its unit. Other checks have their own name and no unit.
_CHECKS = {
    "megabytes": ("size", 1, " MB"),
    "sentence_tokens": ("mean sentence length", 1, " tokens"),
    "duplicate_share": ("duplicate share", 100, " %"),
    "encoding_error_share": ("encoding error share", 100, " %"),
    "expected_language_share": ("expected language share", 100, " %"),
}


def check_name(name: str) -> str:
    """Return the name of a check in words, such as `mean sentence length`."""
    return _CHECKS.get(name, (name.replace("_", " "),))[0]


def check_figure(value: float | None, name: str) -> str:
    """Return a value or a bound of a check with its unit, such as `0.4 MB`; empty for None."""
    _, factor, unit = _CHECKS.get(name, ("", 1, ""))
    return "" if value is None else f"{value * factor:,.4g}{unit}"


_ENVIRONMENT = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
_ENVIRONMENT.filters |= {"figure": check_figure, "check_name": check_name}
SECTION = _ENVIRONMENT.from_string("""<p>{{ "{:,}".format(s.documents) }} documents, {{ "%.2f" | format(s.megabytes) }} MB of text, from
{% for name, count in s.sources.items() %}{{ name or "(no source)" }} ({{ "{:,}".format(count) }}){{ ", " if not loop.last }}
{%- endfor %}.</p>
{% if s.anomalies %}
<h3>Schema anomalies</h3>
<div class="scroll"><table>
<tr><th>feature</th><th>anomaly</th></tr>
{% for one in s.anomalies %}
<tr><td class="fail">{{ one.feature }}</td><td>{{ one.what }}</td></tr>
{% endfor %}
</table></div>
{% endif %}
{% if s.rights %}
<h3>Licences and consents</h3>
<div class="scroll"><table>
<tr><th>source</th><th>licence stated by the corpus</th><th class="number">documents</th><th class="number">with consent</th></tr>
{% for one in s.rights %}
<tr><td>{{ "all others" if one.source is none else one.source or "(no source)" }}</td>
<td>{{ "" if one.licence is none else one.licence or "none stated" }}</td>
<td class="number">{{ "{:,}".format(one.documents) }}</td><td class="number">{{ "{:,}".format(one.consent) }}</td></tr>
{% endfor %}
</table></div>
{% endif %}
<h3>Checks</h3>
<div class="scroll"><table>
<tr><th>check</th><th class="number">measured</th><th class="number">at least</th><th class="number">at most</th><th>verdict</th></tr>
{% for one in s.checks %}
<tr><td>{{ one.name | check_name }}</td><td class="number">{{ one.value | figure(one.name) }}</td>
<td class="number">{{ one.low | figure(one.name) }}</td><td class="number">{{ one.high | figure(one.name) }}</td>
<td class="{{ one.verdict }}">{{ one.verdict }}</td></tr>
{% endfor %}
</table></div>
<h3>Splits</h3>
<div class="scroll"><table>
<tr><th>split</th><th class="number">works</th><th class="number">documents</th><th class="number">MB</th></tr>
{% for name in splits %}
<tr><td>{{ name }}</td><td class="number">{{ "{:,}".format(s.splits[name].groups) }}</td>
<td class="number">{{ "{:,}".format(s.splits[name].documents) }}</td>
<td class="number">{{ "%.2f" | format(s.splits[name].megabytes) }}</td></tr>
{% endfor %}
</table></div>
<h3>Length of documents <span class="faint">in characters, bins of equal ratio</span></h3>
{{ histogram }}
""")


def statistics_section(statistics: dict[str, Any]) -> str:
    """Return the artifact `statistics` as an HTML fragment; text from the corpus is escaped."""
    lengths = statistics["length_histogram"]
    order = [name for name in ("train", "validation", "test") if name in statistics["splits"]]
    return SECTION.render(
        s=statistics,
        splits=order + sorted(set(statistics["splits"]) - set(order)),
        histogram=histogram_svg(lengths["edges"], lengths["counts"], "characters"),
    )


def dropped_section(dropped: Mapping[str, int]) -> str:
    """Return a table of the documents that the corpus leaves out, by reason, as an HTML fragment; '' if there is none."""
    if not dropped:
        return ""
    rows = "".join(
        f'<tr><td>{escape(REASONS.get(reason, reason))}</td><td class="number">{count:,}</td></tr>' for reason, count in dropped.items()
    )
    total = sum(dropped.values())
    return (
        f"<h3>Documents left out</h3><p>The corpus leaves out {total:,} documents of its source. The artifact <code>dropped</code> of "
        f'ingest names each.</p><div class="scroll"><table><tr><th>reason</th><th class="number">documents</th></tr>{rows}</table></div>'
    )
