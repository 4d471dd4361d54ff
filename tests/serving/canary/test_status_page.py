"""The page and the rows of a release, of real verdicts about simulated users."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from robo_poet.judges.canary.judge import judge
from robo_poet.judges.canary.observations import StepFacts, UserObservation
from robo_poet.registry.state.state import State
from serving.canary.controller import Look, Release
from serving.canary.status_page import bounds_text, courses, headline, margin_text, number_text, rows, status_page
from tests.robo_poet.judges.canary.test_judge import FACTS, LAST, POLICY, users

VOID = {"meta", "line", "polygon", "polyline", "link", "br"}
NAMES = list(POLICY.guardrails)


class Page(HTMLParser):
    """Collects open elements, addresses and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href", "xlink:href", "data", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, (tag, self.open)


def look(observed: list[UserObservation], facts: StepFacts = FACTS, **release: object) -> Look:
    share = POLICY.share(facts.step) if facts.step >= 0 else 0.0
    fields = {"watch": facts.step > LAST, "step": facts.step, "share": share, "held": ""} | release
    present = Release(version=2, against=1, experiment="d:7", started=0.0, step_started=facts.started, **fields)  # type: ignore[arg-type]
    return Look(State(), present, judge(observed, facts, POLICY), tuple(observed), facts)


@pytest.fixture(scope="module")
def harmful() -> Look:
    """A version with more failed requests; everything else is equal."""
    return look([replace(user, quality=None) for user in users(1500, failed=0.15)])


def test_a_row_for_each_guardrail_with_units(harmful: Look) -> None:
    table = {row[0]: row[1:] for row in rows(harmful)}
    assert len(table) == len(NAMES) and {len(row) for row in rows(harmful)} == {7}
    estimate, bounds, margin, count, needed, state = table["failed requests"]
    assert (
        needed == "–"
        and state == "harm proven"
        and re.fullmatch(r"\+\d+\.\d points", estimate)
        and margin == "2.0 points"
        and int(count) > 100
    )
    assert re.fullmatch(r"\S+ to \S+ points", bounds) or bounds.startswith("at least ")
    quality = next(row for label, row in table.items() if label.startswith("quality"))
    assert quality[:2] == ("–", "–") and quality[-1] == "not measured"
    assert next(row for label, row in table.items() if "length" in label)[2] == "± 10.0 %"


def test_the_headline_says_what_happens_next(harmful: Look) -> None:
    first, second, third = headline(harmful, "poems", POLICY)
    assert first == "poems/2 against poems/1: canary, step 4 of 4, 95% of the users"
    assert second.startswith("users   ") and third.startswith("next    is rolled back: ") and "failed requests" in third


@pytest.mark.parametrize(
    ("facts", "release", "text"),
    [
        (replace(FACTS, step=-1), {}, "next    the controller starts the first step"),
        (replace(FACTS, step=0), {"held": "a party"}, "held    a party"),
        (replace(FACTS, step=LAST + 1), {}, "watched after its promotion"),
        (replace(FACTS, step=0), {}, "next    goes on: "),
    ],
)
def test_the_headline_of_each_state(facts: StepFacts, release: dict[str, object], text: str) -> None:
    assert text in "\n".join(headline(look([], facts, **release), "poems", POLICY))


def test_the_course_of_a_harm_ends_with_its_proof(harmful: Look) -> None:
    points = courses(harmful, POLICY)
    assert len(points) == 40 and [point["users"] for point in points] == sorted({point["users"] for point in points})
    assert not points[0]["errors"]["harmful"] and points[-1]["errors"]["harmful"]
    assert points[-1]["errors"] == harmful.verdict.evidence["guardrails"]["errors"]


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(harmful: Look) -> None:
    text = status_page(harmful, "poems", POLICY)
    page = Page(text)
    assert page.open == [] and page.addresses == [] and "script" not in page.tags
    assert not re.search(r"https?:|@import|url\(", text)
    assert text.count("<section") == len(NAMES) and text.count("class='card harm'") == 1
    assert "harm proven" in text and "Nothing was measured yet" in text and "nan" not in text and "None" not in text


def test_names_and_reasons_are_escaped() -> None:
    text = status_page(look([], replace(FACTS, step=0), held="<script>alert('&')</script>"), "<i>poems", POLICY)
    assert Page(text).open == [] and "<script" not in text and "<i>" not in text and "&lt;i&gt;poems" in text


@pytest.mark.parametrize("step", [-1, 0, LAST, LAST + 1])
@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_a_page_of_few_users(step: int, count: int) -> None:
    text = status_page(look(users(count), replace(FACTS, step=step)), "poems", POLICY)
    assert Page(text).open == [] and "nan" not in text and "None" not in text


def test_numbers_have_units() -> None:
    assert number_text("points", 0.0123) == "+1.2 points" and number_text("ratio", -0.05) == "-5.0 %"
    assert number_text("bits per byte", 0.05) == "+0.050 bits per byte" and number_text("rating", 0.1) == "+0.100"
    assert number_text("points", None) == "–" and margin_text({"unit": "ratio", "margin": 0.1}) == "± 10.0 %"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (None, None, "–"), (0.01, None, "at least +1.0 points"), (None, 0.01, "at most +1.0 points"),
        (-0.00001, 0.01, "0.0 to +1.0 points"),
    ],
)  # fmt: skip
def test_open_bounds(low: float | None, high: float | None, text: str) -> None:
    assert bounds_text({"unit": "points", "low": low, "high": high}) == text
