import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.report.forest import ForestRow, forest, ticks

NAMES = ("model", "champion")


def interval(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


def drawn(rows: list[ForestRow], **more: float) -> ElementTree.Element:
    return ElementTree.fromstring(str(forest(rows, names=NAMES, what="bits per byte", **more)))  # type: ignore[arg-type]


def places(tree: ElementTree.Element, row: int, name: str, attribute: str) -> list[float]:
    marks = tree.findall("./div[@class='row']/svg[@role]/..")[row].iter(name)
    return [float(mark.attrib[attribute].rstrip("%")) for mark in marks]


def test_marks_stand_where_their_numbers_are() -> None:
    tree = drawn([ForestRow("a", "1", interval(2.0, 1.5, 2.5)), ForestRow("b", "2", interval(3.0, 2.9, 3.5), interval(2.5))], reference=2.5)
    (two,), (three, half) = places(tree, 0, "circle", "cx"), places(tree, 1, "circle", "cx")
    assert half == pytest.approx((two + three) / 2, abs=0.02)
    (line, whisker), (_, to) = places(tree, 0, "line", "x1"), places(tree, 0, "line", "x2")
    assert line == half and whisker == pytest.approx(two - (three - two) / 2, abs=0.02) and to == pytest.approx(half, abs=0.02)
    assert len(places(tree, 1, "line", "x1")) == 2  # the champion has no interval, and none is drawn
    labels = [svg.attrib["aria-label"] for svg in tree.iter("svg") if "aria-label" in svg.attrib]
    assert labels == ["a: model 2.00 (1.50 to 2.50)", "b: model 3.00 (2.90 to 3.50), champion 2.50 (no interval)"]


def test_an_interval_without_bounds_does_not_hide_the_others() -> None:
    rows = [ForestRow("a", "", interval(2.0, -500, 900)), ForestRow("b", "", interval(3.0))]
    tree = drawn(rows)
    assert places(tree, 1, "circle", "cx")[0] - places(tree, 0, "circle", "cx")[0] > 25
    assert 0 <= places(tree, 0, "line", "x1")[0] < places(tree, 0, "line", "x2")[0] <= 100
    said = str(forest(rows, names=NAMES, what="x"))
    assert said.count("‹") == said.count("›") == 1, "what is cut off says so"


def test_intervals_about_as_wide_as_each_other_are_drawn_whole() -> None:
    rows = [ForestRow(f"{n}", "", interval(0.01 * n, 0.01 * n - 0.2 - 0.02 * n, 0.01 * n + 0.2 + 0.02 * n)) for n in range(8)]
    assert "‹" not in str(forest(rows, names=NAMES, what="x")) and "›" not in str(forest(rows, names=NAMES, what="x"))


def test_a_missing_value_is_stated_and_a_plot_without_values_is_empty() -> None:
    missing = ForestRow("a", "", interval(None))
    assert forest([missing], names=NAMES, what="x") == "" == forest([], names=NAMES, what="x")
    text = str(forest([missing, ForestRow("b", "", interval(1.0))], names=NAMES, what="x"))
    assert text.count("<circle") == 2 and "not measured" in text  # one of them is the legend's


def test_names_from_the_corpus_are_text() -> None:
    text = str(forest([ForestRow('"><script>', "<b>&", interval(1.0))], names=NAMES, what="<i>"))
    assert not re.search("<script|<b>|<i>", text) and "&lt;script&gt;" in text


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_ticks_are_a_few_round_numbers_inside(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in found)
    steps = {f"{later - earlier:.3e}" for earlier, later in pairwise(found)}
    assert len(steps) == 1 and steps.pop()[:5] in ("1.000", "2.000", "5.000")


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6)), min_size=1, max_size=9))
def test_no_mark_leaves_the_plot(values: list[tuple[float, float]]) -> None:
    tree = drawn([ForestRow("x", "", interval(value, value - width, value + width)) for value, width in values])
    for row in range(len(values)):
        for name, attribute in (("circle", "cx"), ("line", "x1"), ("line", "x2")):
            assert all(0 <= place <= 100 for place in places(tree, row, name, attribute))


def test_the_caption_is_inside_the_plot_and_labels_of_ticks_stay_inside() -> None:
    html = str(forest([ForestRow("a", "", {"value": 0.0, "low": -0.1, "high": 1.0})], names=("m", ""), what="gap <x>", digits=3))
    axis = html.partition('class="row axis"')[2]
    assert '<text class="caption" x="50%" y="29" text-anchor="middle">gap &lt;x&gt;</text></svg>' in axis
    for x, anchor in re.findall(r'<text x="([\d.]+)%" y="12" text-anchor="(\w+)"', axis):
        assert anchor == ("start" if float(x) < 6 else "end" if float(x) > 94 else "middle")


def test_zero_has_no_sign() -> None:
    assert "-0.000" not in str(
        forest([ForestRow("a", "", {"value": -0.0001, "low": -0.0002, "high": 0.5})], names=("m", ""), what="x", digits=3)
    )
