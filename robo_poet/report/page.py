"""The frame of every HTML page of this project: one file, no external resources, light and dark, readable on a phone."""

from collections.abc import Collection

from jinja2 import Environment
from markupsafe import Markup

STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fdfcf9; --faint: #6b6a67; --line: #dcd9d0; --accent: #4a6b8a;
  --good: #2f7d4f; --warn: #a36a00; --bad: #b3362b; --shadow: #0006; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #17181a; --faint: #9b9993; --line: #35363a; --accent: #8fb3d4;
  --good: #6cc08b; --warn: #e0a94a; --bad: #ec8379; --shadow: #fff4; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 56rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font: 600 1.7rem/1.2 Georgia, serif; margin: .5rem 0 1rem; }
h2 { font: 600 1.2rem/1.3 Georgia, serif; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
h4 { font-size: .9rem; margin: 1rem 0 .2rem; }
nav { display: flex; flex-wrap: wrap; gap: .1rem 1rem; } nav a { color: var(--accent); white-space: nowrap; }
.badge { font-size: 1.3rem; font-weight: 600; margin-right: .5rem; }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--paper) 40%, transparent) 0 0 / 2.5rem 100% local no-repeat,
  linear-gradient(to left, var(--paper) 40%, transparent) 100% 0 / 2.5rem 100% local no-repeat,
  linear-gradient(to right, var(--shadow), transparent) 0 0 / 1rem 100% scroll no-repeat,
  linear-gradient(to left, var(--shadow), transparent) 100% 0 / 1rem 100% scroll no-repeat; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 500; } .number { text-align: right; } .faint { color: var(--faint); }
.ok, .pass, .accepted { color: var(--good); } .warn { color: var(--warn); } .fail, .rejected { color: var(--bad); font-weight: 600; }
svg { max-width: 100%; height: auto; fill: var(--accent); } svg text { fill: var(--faint); font: 11px system-ui, sans-serif; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 1rem/1.5 Georgia, serif; border-left: 3px solid var(--line);
  padding-left: 1rem; }
details.part > summary { cursor: pointer; margin: 1.4rem 0 .6rem; border-bottom: 1px solid var(--line); }
details.part > summary h2 { display: inline-block; margin: 0; border: 0; }
.beside { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.2rem; margin: .8rem 0; break-inside: avoid; }
.beside > * { min-width: 0; } .beside > pre { grid-column: 1 / -1; margin: 0; }
.beside h4 { margin: .5rem 0 .2rem; } .beside div pre { margin: 0; }
@media (max-width: 40rem) { .beside { grid-template-columns: 1fr; } td, th { padding-right: .7rem; } }
@media print { details::details-content { content-visibility: visible; height: auto; } details > summary { list-style: none; }
  .scroll { background: none; overflow: visible; }
  body { max-width: none; } h2, h3, h4 { break-after: avoid; } tr, pre, svg { break-inside: avoid; } nav { display: none; } }
"""

SHELL = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<h1>{{ title }}</h1>
{{ lead }}
{% if sections | length > 1 %}
<nav>{% for heading, _ in sections %}<a href="#part-{{ loop.index }}">{{ heading }}</a>{% endfor %}</nav>
{% endif %}
{% for heading, body in sections %}
{% if folded is none %}
<section id="part-{{ loop.index }}">
{% if heading != title %}
<h2>{{ heading }}</h2>
{% endif %}
{{ body }}
</section>
{% else %}
<details class="part" id="part-{{ loop.index }}"{{ "" if heading in folded else " open" }}>
<summary><h2>{{ heading }}</h2></summary>
{{ body }}
</details>
{% endif %}
{% endfor %}
</body>
</html>
""")


def page(title: str, sections: list[tuple[str, str]], *, style: str = "", lead: str = "", folded: Collection[str] | None = None) -> str:
    """Return a complete HTML page.

    Args:
        title: plain text.
        sections: (heading as plain text, body as an HTML fragment in which data is already escaped).
        lead: an HTML fragment between title and contents.
        folded: headings of the sections that are closed at first; readers can close and open all of them. All are printed. None: no
            section can be closed.
        style: CSS that the fragments need in addition to that of the page.

    Fragments may use these classes: `number` (right-aligned), `faint`, `ok`/`warn`/`fail`, `accepted`/`rejected`, and `scroll` around a
    wide table.
    """
    marked = [(heading, Markup(body)) for heading, body in sections]
    return SHELL.render(title=title, sections=marked, style=Markup(STYLE + style), lead=Markup(lead), folded=folded)
