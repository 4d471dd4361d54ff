"""A histogram as inline SVG, without scripts or libraries. It takes its colours from the page."""

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, FOOT = 640, 140, 18  # pixels; the drawing scales with the page


def histogram_svg(edges: Sequence[float], counts: Sequence[float], unit: str) -> Markup:
    """Return bars of `counts`, labelled with the outer and the middle `edges` (one more than counts); '' if there is no data."""
    if not counts or max(counts) <= 0:
        return Markup("")
    step = WIDTH / len(counts)
    bars = []
    for number, count in enumerate(counts):
        height = (HEIGHT - FOOT) * count / max(counts)
        tip = escape(f"{edges[number]:,.0f} to {edges[number + 1]:,.0f} {unit}: {count:,.0f}")
        top = HEIGHT - FOOT - height
        bars.append(
            f'<rect x="{number * step + 1:.1f}" y="{top:.1f}" width="{step - 2:.1f}" height="{height:.1f}"><title>{tip}</title></rect>'
        )
    middle = len(counts) // 2
    marks = [(0.0, "start", edges[0]), (middle * step, "middle", edges[middle]), (float(WIDTH), "end", edges[-1])]
    texts = [f'<text x="{x:.0f}" y="{HEIGHT - 4}" text-anchor="{anchor}">{edge:,.0f}</text>' for x, anchor, edge in marks]
    label = escape(f"histogram of {unit}")
    return Markup(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(bars + texts)}</svg>')
