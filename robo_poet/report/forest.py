"""A forest plot in HTML and SVG, without scripts or libraries. Each row shows the value and the interval of one part of the data.

Labels are HTML. Only the marks are SVG; their positions are percentages. So the plot is narrower on a phone, but the text keeps its size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

LANE, TICKS = 14, 5  # height of a lane in pixels; approximate number of axis ticks
STYLE = """
.forest { margin: 1rem 0; }
.forest .row { display: grid; grid-template-columns: 15rem 1fr 8.5rem; column-gap: .8rem; align-items: center;
  border-bottom: 1px solid var(--line); padding: .25rem 0; break-inside: avoid; }
.forest .what { overflow-wrap: anywhere; line-height: 1.25; } .forest small { color: var(--faint); font-size: .78rem; }
.forest .what small { display: block; } .forest .how { text-align: right; font-variant-numeric: tabular-nums; line-height: 1.25; }
.forest .how small { display: block; white-space: nowrap; }
.forest svg { width: 100%; max-width: none; display: block; overflow: visible; } .forest .unsure { opacity: .55; }
.forest .reference { stroke: var(--line); stroke-width: 2; } .forest .range { stroke: var(--accent); stroke-width: 2; }
.forest svg .caption { font-size: 12px; }
.forest .cut { font-size: 15px; fill: var(--accent); }
.forest .range.other { stroke: var(--warn); } .forest circle { fill: var(--accent); stroke: none; }
.forest circle.other { fill: var(--paper); stroke: var(--warn); stroke-width: 2; }
.forest .legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; color: var(--faint); font-size: .85rem; }
.forest .legend svg { display: inline-block; width: 1.6rem; vertical-align: middle; margin-right: .3rem; }
@media (max-width: 40rem) { .forest .row { grid-template-columns: 1fr auto; } .forest .row > svg { grid-column: 1 / -1; grid-row: 2; }
  .forest .axis > span { display: none; } }
"""

Interval = Mapping[str, float | None]  # value, low, high; None if unknown


@dataclass(frozen=True)
class ForestRow:
    """One row of a forest plot.

    Args:
        label, note: the name of the part and a remark, as plain text.
        ours, other: the estimate, and that of another model.
        unsure: too little data to judge; drawn faint.
    """

    label: str
    note: str
    ours: Interval
    other: Interval | None = None
    unsure: bool = False


def forest(
    rows: Sequence[ForestRow], *, names: tuple[str, str], what: str, reference: float | None = None, line: str = "", digits: int = 2
) -> Markup:
    """Return a forest plot of the rows, in their order; '' if no row has a value.

    Args:
        names: names of the model and of the other model.
        what: the quantity, shown below the axis.
        reference: a value to compare all rows with, drawn as a line through the rows.
        line: label of that line; by default the value over all data of the model.
        digits: decimals of values.
    """
    scale = _scale([interval for row in rows for interval in (row.ours, row.other) if interval])
    if scale is None:
        return Markup("")
    lines = [_row(row, names, scale, reference, digits) for row in rows]
    return Markup('<div class="forest">{}{}{}</div>').format(
        _legend(names, any(row.other for row in rows), (line or f"{names[0]}, all of it") if reference is not None else ""),
        Markup("").join(lines),
        _axis(scale, what),
    )


def ticks(low: float, high: float, about: int = TICKS) -> list[float]:
    """Return round numbers from `low` to `high`: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [round(n * step, 12) for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _scale(intervals: Sequence[Interval]) -> tuple[float, float] | None:
    """Return the (low, high) limits of the axis, or None if there are no values. All values are inside the limits.

    Intervals much longer than the median interval (three times) are clipped, so that one of them does not hide the others.
    """
    values = [value for interval in intervals if (value := interval["value"]) is not None]
    if not values:
        return None
    arms = sorted(map(_reach, intervals))
    room = max(3 * arms[(len(arms) - 1) // 2], max(values) - min(values), 0.02 * max(map(abs, values)), 1e-6)
    ends = [end for interval in intervals for end in (interval["low"], interval["high"]) if end is not None]
    low = max(min([*values, *ends]), min(values) - room)
    high = min(max([*values, *ends]), max(values) + room)
    pad = 0.03 * max(high - low, room)
    return low - pad, high + pad


def _reach(interval: Interval) -> float:
    """Return the larger distance from the value to an end of its interval; 0 if there is no interval."""
    value, low, high = interval["value"], interval["low"], interval["high"]
    return 0.0 if value is None or low is None or high is None else max(high - value, value - low)


def _percent_of_axis(value: float, scale: tuple[float, float]) -> str:
    share = (value - scale[0]) / (scale[1] - scale[0])
    return f"{100 * min(max(share, 0), 1):.2f}%"


def _row(row: ForestRow, names: tuple[str, str], scale: tuple[float, float], reference: float | None, digits: int) -> Markup:
    height = LANE * (2 if row.other else 1) + 4
    marks = []
    if reference is not None:
        x = _percent_of_axis(reference, scale)
        marks.append(Markup('<line class="reference" x1="{}" x2="{}" y1="-4" y2="{}"/>').format(x, x, height + 4))
    lanes: list[tuple[Interval | None, str]] = [(row.ours, ""), (row.other, " other")]
    marks += [
        _mark(interval, css_class, LANE // 2 + 2 + LANE * lane, scale) for lane, (interval, css_class) in enumerate(lanes) if interval
    ]
    description = f"{names[0]} {_text(row.ours, digits)}" + (f", {names[1]} {_text(row.other, digits)}" if row.other else "")
    numbers = Markup("{}<small>{}</small>").format(_value(row.ours, digits), _limits(row.ours, digits))
    if row.other:
        numbers += Markup("<small>{} {}</small>").format(names[1], _value(row.other, digits))
    return Markup(
        '<div class="row{}"><span class="what">{}<small>{}</small></span><svg height="{}" style="height:{}px" role="img" aria-label="{}">'
        '{}</svg><span class="how">{}</span></div>'
    ).format(
        " unsure" if row.unsure else "", row.label, row.note, height, height, f"{row.label}: {description}", Markup("").join(marks), numbers
    )


def _mark(interval: Interval, css_class: str, y: int, scale: tuple[float, float]) -> Markup:
    value, low, high = interval["value"], interval["low"], interval["high"]
    if value is None:
        return Markup("")
    line = Markup("")
    if low is not None and high is not None:
        cuts = ((low < scale[0], "0", "start", "‹"), (high > scale[1], "100%", "end", "›"))
        ends = Markup("").join(
            Markup('<text class="cut" x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y + 4, anchor, arrow)
            for cut, x, anchor, arrow in cuts
            if cut
        )
        line = ends + Markup('<line class="range{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            css_class, _percent_of_axis(low, scale), _percent_of_axis(high, scale), y, y
        )
    return line + Markup('<circle class="{}" cx="{}" cy="{}" r="4"/>').format(css_class.strip(), _percent_of_axis(value, scale), y)


def _value(interval: Interval, digits: int) -> str:
    value = interval["value"]
    return "not measured" if value is None else f"{value:z.{digits}f}"


def _limits(interval: Interval, digits: int) -> str:
    low, high = interval["low"], interval["high"]
    return "no interval" if low is None or high is None else f"{low:z.{digits}f} to {high:z.{digits}f}"


def _text(interval: Interval, digits: int) -> str:
    return f"{_value(interval, digits)} ({_limits(interval, digits)})"


def _legend(names: tuple[str, str], both: bool, line: str) -> Markup:
    mark = Markup('<span><svg height="12" style="height:12px" aria-hidden="true">{}</svg>{}</span>')
    dot = Markup('<line class="range{}" x1="0" x2="100%" y1="6" y2="6"/><circle class="{}" cx="50%" cy="6" r="4"/>')
    entries = [mark.format(dot.format("", ""), names[0])]
    if both:
        entries.append(mark.format(dot.format(" other", "other"), names[1]))
    if line:
        entries.append(mark.format(Markup('<line class="reference" x1="50%" x2="50%" y1="0" y2="12"/>'), line))
    return Markup('<div class="legend">{}</div>').format(Markup("").join(entries))


def _axis(scale: tuple[float, float], what: str) -> Markup:
    texts = [
        Markup('<text x="{}" y="12" text-anchor="{}">{}</text>').format(_percent_of_axis(tick, scale), _anchor(tick, scale), f"{tick:.6g}")
        for tick in ticks(*scale)
    ]
    caption = Markup('<text class="caption" x="50%" y="29" text-anchor="middle">{}</text>').format(what)
    return Markup(
        '<div class="row axis"><span class="what"></span><svg height="34" style="height:34px" aria-hidden="true">{}{}</svg>'
        '<span class="how"></span></div>'
    ).format(Markup("").join(texts), caption)


def _anchor(tick: float, scale: tuple[float, float]) -> str:
    """Return the alignment of a tick's label: at an end of the axis it stays inside the plot."""
    share = (tick - scale[0]) / (scale[1] - scale[0])
    return "start" if share < 0.06 else "end" if share > 0.94 else "middle"
