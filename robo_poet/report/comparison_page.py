"""The comparison of two runs or versions as an HTML page: one file without external resources."""

from collections.abc import Mapping, Sequence
from html import escape

from robo_poet.report.comparison import Comparison, GatePair, MetricRow, Row, SamplePair, equal_settings_text
from robo_poet.report.gate_rows import GateRow
from robo_poet.report.page import page
from robo_poet.report.sections import table

NOTE = "A and B are as in the title. The difference is B − A."
BETTER = "“Is better”: the 95 % intervals do not overlap."
LONG = 15  # rows; a longer table of settings is folded
STYLE = """
.sides small { display: block; color: var(--faint); } .sides td, .sides th { overflow-wrap: break-word; }
.sides td small.better { color: var(--good); }
@media (max-width: 40rem) { .sides td, .sides th { min-width: 4.3rem; padding-right: .5rem; } }
.notes { border-left: 3px solid var(--warn); padding-left: 1rem; }
"""


def comparison_page(comparison: Comparison) -> str:
    """Return the comparison as an HTML page. All data is escaped."""
    sections = [("Overview", _rows(comparison.facts))]
    sections.append(("Settings", _settings(comparison)))
    sections.append(("Data", _rows(comparison.data)))
    sections.append(("Metrics", _metrics(comparison.metrics)))
    sections.append(("Gates", _gates(comparison.gates)))
    sections.append(("Samples", _samples(comparison.samples)))
    notes = "".join(f"<p>{escape(note)}</p>" for note in comparison.notes)
    a, b = comparison.names
    folded = ("Settings",) if len(comparison.settings) > LONG else ()
    return page(f"A: {a}, B: {b}", sections, lead=f'<div class="notes">{notes}</div>' if notes else "", folded=folded, style=STYLE)


def _rows(rows: Sequence[Row]) -> str:
    return table(("", "A", "B"), rows)


def _settings(comparison: Comparison) -> str:
    text = equal_settings_text(comparison)
    return f"<p>{text[:1].upper()}{text[1:]}.</p>" + (table(("setting", "A", "B"), comparison.settings) if comparison.settings else "")


def _metrics(rows: Sequence[MetricRow]) -> str:
    if not rows:
        return "<p>Nothing was measured.</p>"
    body = "".join(
        f"<tr><td>{escape(row.name)}</td>{_value(row, 0)}{_value(row, 1)}<td>{escape(row.difference)}{_note(row.note)}</td></tr>"
        for row in rows
    )
    head = "".join(f"<th>{cell}</th>" for cell in ("metric", "A", "B", "difference"))
    return f'<p class="faint">{NOTE} Small: 95 % intervals. {BETTER}</p>{_table(head, body)}'


def _value(row: MetricRow, side: int) -> str:
    interval = f"<small>{escape(row.intervals[side])}</small>" if row.intervals[side] else ""
    return f"<td>{escape(row.values[side])}{interval}</td>"


def _note(note: str) -> str:
    if note in ("A", "B"):
        return f'<small class="better">{note} is better</small>'
    return f"<small>{escape(note)}</small>" if note else ""


def _gates(pairs: Sequence[GatePair]) -> str:
    if not pairs:
        return "<p>No gate judged.</p>"
    body = "".join(f"<tr><td>{escape(pair.name)}</td>{_gate(pair.rows[0])}{_gate(pair.rows[1])}</tr>" for pair in pairs)
    return _table("<th>gate</th><th>A</th><th>B</th>", body)


def _gate(row: GateRow | None) -> str:
    if row is None:
        return '<td class="faint">no such gate</td>'
    verdict = row.verdict.split()[0]
    colour = "warn" if verdict == "open" else escape(verdict)
    measured = escape(f"{row.value} {row.bound}".strip())
    return f'<td><span class="{colour}">{escape(row.verdict)}</span><small>{measured}</small></td>'


def _table(head: str, body: str) -> str:
    return f'<div class="scroll sides"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _samples(pairs: Sequence[SamplePair]) -> str:
    if not pairs:
        return "<p>No samples.</p>"
    return '<p class="faint">Random samples. The prompt, in grey, is held-out text.</p>' + "".join(map(_pair, pairs))


def _pair(pair: SamplePair) -> str:
    first = pair.samples[0]
    prompt = f'<pre class="faint">{escape(first["prompt"])}</pre>' if pair.same_prompt and first else ""
    sides = "".join(_sample(letter, sample, pair.same_prompt) for letter, sample in zip("AB", pair.samples, strict=True))
    return f'<div class="beside">{prompt}{sides}</div>'


def _sample(letter: str, sample: Mapping[str, str] | None, same_prompt: bool) -> str:
    if sample is None:
        return f'<div><h4>{letter}</h4><p class="faint">no further sample</p></div>'
    prompt = "" if same_prompt else f'<span class="faint">{escape(sample["prompt"])}</span>'
    return f"<div><h4>{letter}</h4><pre>{prompt}{escape(sample['text'])}</pre></div>"
