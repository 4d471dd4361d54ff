from typing import Any

from robo_poet.report.distributions import data_drift, distributions_section, drift_section, findings_section, histogram

BASELINE = {"version": 3, "digest": "d", "documents": 1200}
ROW = {"measure": "l_infinity", "threshold": 0.1, "chance": 0.05, "bin": "b", "share": 0.5, "baseline_share": 0.1}


def row(label: str, value: float, verdict: str) -> dict[str, Any]:
    return {
        **ROW,
        "feature": label,
        "label": label,
        "value": value,
        "verdict": verdict,
        "text": f"{label}: far; <b> in 50% of the documents",
    }


def test_findings_that_stop_the_run_come_first_with_their_documents() -> None:
    html = findings_section(
        [
            {"verdict": "warn", "what": "of the corpus", "ids": (), "documents": None},
            {"verdict": "fail", "what": "words: <too few>", "ids": ("a<b>", "x" * 200, "bell\u0007"), "documents": 1002},
        ]
    )
    assert html.index("words: &lt;too few&gt;") < html.index("of the corpus")
    assert "stops the run" in html and "a&lt;b&gt;" in html and "and 999 more" in html and "the corpus as a whole" in html
    assert "x" * 81 not in html and "\u0007" not in html
    assert "Nothing is wrong" in findings_section([])


def test_drift_is_a_table_whose_first_rows_drifted() -> None:
    rows = [
        row("even", 0.01, "ok"),
        row("small", 0.3, "few"),
        row("far", 0.2, "warn"),
        row("farther", 0.4, "warn"),
        row("off", 0.5, "ignored"),
    ]
    html = drift_section({"state": "measured", "baseline": BASELINE, "reason": "", "features": rows})
    order = [html.index(f"<tr><td>{name}<") for name in ("farther", "far", "off", "small", "even")]
    assert order == sorted(order)
    assert "version 3" in html and "1,200 documents" in html and "too few documents" in html and "no drift" in html
    assert "&lt;b&gt; in 50%" in html and "0.400" in html
    nothing = {"state": "none", "baseline": None, "reason": "no <champion>", "features": []}
    assert "Not measured: no &lt;champion&gt;." in drift_section(nothing) and "<h3>" in data_drift(nothing)


def test_charts_show_both_corpora() -> None:
    bins = [{"text": "0 to <9>", "share": 0.25, "baseline": 0.5}, {"text": "10", "share": 0.0, "baseline": 0.0}]
    charts = [
        {"label": "length", "unit": "characters", "kind": "number", "verdict": "warn", "bins": bins},
        {"label": "language", "unit": "", "kind": "category", "verdict": "", "bins": bins},
    ]
    html = distributions_section(charts, BASELINE)
    assert "0 to &lt;9&gt;: 25.0 %, before 50.0 %" in html and 'class="before"' in html and "the corpus of version 3" in html
    assert "width: 25.0%" in html and "width: 50.0%" in html and '<span class="warn">drift</span>' in html
    alone = distributions_section([{**chart, "bins": [{**bin_, "baseline": None} for bin_ in bins]} for chart in charts], None)
    assert "before" not in alone and "version" not in alone


def test_a_histogram_of_one_empty_bin() -> None:
    svg = histogram([{"text": "all", "share": 0.0, "baseline": None}], "<l>")
    assert svg.count("<text") == 1 and "histogram: &lt;l&gt;" in svg
