"""The bias section of the card."""

from typing import Any

import pytest

from robo_poet.report.sections import MOST_GROUPS, bias_section, group_name


def gap(group: str, language: str, value: float | None, measure: str = "likelihood") -> dict[str, Any]:
    interval = {"value": value, "low": value and value - 0.1, "high": value and value + 0.1}
    return {
        "measure": measure, "axis": "origin", "group": group, "reference": "others", "language": language, "pairs": 40,
        "gap": interval, "together": interval,
    }  # fmt: skip


def test_languages_stand_apart_each_with_its_widest_gap_first() -> None:
    groups = [gap("north-side", "en", 0.1), gap("del-sur", "es", 0.9), gap("south", "en", -0.5), gap("del-norte", "es", 0.2)]
    html = bias_section({"groups": groups})
    english, spanish = html.partition("<h4>Spanish</h4>")[::2]
    assert "<h4>English</h4>" in english and english.index("origin: south against others") < english.index("origin: north side")
    assert spanish.index("origin: del sur") < spanish.index("origin: del norte")
    assert html.count("no gap") == 2 and "all of it" not in html, "the line is at zero"
    assert "origin: del" not in english and "origin: south" not in spanish


def test_one_language_has_no_heading_and_omitted_groups_are_counted() -> None:
    html = bias_section({"groups": [gap(f"g{n}", "en", n / 10) for n in range(MOST_GROUPS + 5)]})
    assert "<h4>" not in html and f"Shown: the {MOST_GROUPS} widest of {MOST_GROUPS + 5} groups." in html
    assert "origin: g20 " in html and "origin: g4 " not in html


def test_a_measure_without_values_has_no_plot() -> None:
    assert bias_section({"groups": [gap("south", "en", None)]}) == bias_section({}) == "<p>Not measured.</p>"
    html = bias_section({"groups": [gap("south", "en", None), gap("<b>", "xx", 0.3, "toxicity")]})
    assert "Likelihood" not in html and "<h3>Toxicity</h3>" in html and "&lt;b&gt;" in html and "<b>" not in html


@pytest.mark.parametrize(
    ("group", "language", "name"),
    [
        ("black-americans", "en", "Black Americans"), ("black-people", "en", "Black people"), ("muslims", "en", "Muslims"), ("jews", "en", "Jews"), ("arabs", "en", "Arabs"),
        ("white Americans", "en", "white Americans"), ("african-american-women", "en", "African American women"), ("blackmailers", "en", "blackmailers"),
        ("people-with-a-disability", "en", "people with a disability"), ("marroquíes", "es", "marroquíes"), ("latinos", "es", "latinos"), ("Christians", "en", "Christians"),
    ],
)  # fmt: skip
def test_names_of_peoples_have_a_capital_in_english(group: str, language: str, name: str) -> None:
    assert group_name(group, language) == name
