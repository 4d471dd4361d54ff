import re
from typing import Any

from robo_poet.report.corpus_section import histogram_svg, statistics_section

STATISTICS: dict[str, Any] = {
    "documents": 1234,
    "megabytes": 5.678,
    "splits": {name: {"documents": 1, "megabytes": 0.5, "groups": 2} for name in ("test", "train", "validation")},
    "checks": [
        {"name": "type_token_ratio", "value": 0.0684, "low": 0.05, "high": 0.15, "verdict": "ok"},
        {"name": "megabytes", "value": 0.4, "low": 1, "high": None, "verdict": "warn"},
        {"name": "length_divergence", "value": None, "low": None, "high": 0.3, "verdict": "warn"},
    ],
    "sources": {"<b>mine</b>": 1234},
    "rights": [
        {"source": "mine", "licence": "", "documents": 34, "consent": 5},
        {"source": "", "licence": "CC <BY>", "documents": 1100, "consent": 0},
        {"source": None, "licence": None, "documents": 100, "consent": 99},
    ],
    "length_histogram": {"edges": [1, 10, 100], "counts": [3, 0]},
    "anomalies": [{"feature": "year", "what": "too <late>"}],
}


def test_the_section_shows_all_figures_and_escapes_text() -> None:
    html = statistics_section(STATISTICS)
    for part in (
        "1,234 documents",
        "5.68 MB",
        "type token ratio",
        "0.0684",
        ">0.4 MB<",
        ">1 MB<",
        "&lt;b&gt;mine&lt;/b&gt;",
        "too &lt;late&gt;",
        "<svg",
    ):
        assert part in html
    cells = [
        re.findall("<td[^>]*>([^<]*)</td>", row)
        for row in html.partition("Licences and consents")[2].partition("</table>")[0].split("<tr>")[2:]
    ]
    assert cells == [["mine", "none stated", "34", "5"], ["(no source)", "CC &lt;BY&gt;", "1,100", "0"], ["all others", "", "100", "99"]]
    assert html.index(">train<") < html.index(">validation<") < html.index(">test<")


def test_a_histogram() -> None:
    svg = histogram_svg([1, 10, 100, 1000], [1, 3, 2], "<words>")
    assert svg.count("<rect") == 3
    assert "10 to 100 &lt;words&gt;: 3" in svg
    assert histogram_svg([], [], "words") == ""
