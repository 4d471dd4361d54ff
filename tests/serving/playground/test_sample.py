"""Browser tests of a sample: token probabilities, feedback, copying and the reason for its end."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.serving.playground.conftest import Open
from tests.serving.playground.stand_in_gateway import POEM, StandInGateway, refusal
from tests.serving.playground.visitor import PROMPT, finished, write

WRITTEN = "".join(text for text, _ in POEM)


@pytest.fixture
def written(page: Page) -> Page:
    write(page)
    finished(page)
    return page


def token(page: Page, text: str) -> int:
    return [piece for piece, _ in POEM].index(text)


def test_hovering_over_a_token_shows_its_probability(written: Page) -> None:
    readout = written.get_by_role("tooltip")
    for text, probability, words in (
        (" lovely", "3 %", "1 in 33"), (" tem", "0.9 %", "1 in 111"), ("Rough", "0.04 %", "1 in 2,500"), ("perate", "97 %", ""), (" day", "88 %", ""),
    ):  # fmt: skip
        written.locator(".token").nth(token(written, text)).locator(".ink").hover()
        expect(written.locator("#readout-token")).to_have_text(text.strip())
        expect(written.locator("#readout-probability")).to_have_text(probability)
        expect(written.locator("#readout-odds")).to_have_text(words)
        box = readout.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] >= 0
    written.locator("h1").hover()
    expect(readout).to_be_hidden()


def test_tapping_a_token_shows_its_probability(open_page: Open) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.locator("summary").click()
    write(page)
    finished(page)
    page.locator(".token").nth(token(page, " shake")).locator(".ink").tap()
    expect(page.locator("#readout-probability")).to_have_text("5 %")
    page.locator("h1").tap()
    expect(page.get_by_role("tooltip")).to_be_hidden()


def test_arrow_keys_select_tokens_and_announce_probabilities(written: Page) -> None:
    written.locator(".text").focus()
    for number in range(3):
        written.keyboard.press("ArrowRight")
        expect(written.locator(".token.asked")).to_have_text(POEM[number][0])
    expect(written.locator("#readout-spoken")).to_have_text("'s, 91 %")
    written.keyboard.press("ArrowLeft")
    expect(written.locator(".token.asked")).to_have_text(" summer")
    written.keyboard.press("Escape")
    expect(written.get_by_role("tooltip")).to_be_hidden()


def test_less_likely_tokens_are_darker_unless_shading_is_off(written: Page) -> None:
    levels = [int(span.get_attribute("data-level") or 0) for span in written.locator(".token").all()]
    by_probability = sorted(zip((probability for _, probability in POEM), levels, strict=True))
    assert [level for _, level in by_probability] == sorted(levels, reverse=True)
    rough = written.locator(".token").nth(token(written, "Rough")).locator(".ink")
    ground = "(ink) => getComputedStyle(ink).backgroundColor"
    assert rough.evaluate(ground) != "rgba(0, 0, 0, 0)"
    written.get_by_label("Shade by probability").uncheck()
    assert rough.evaluate(ground) == "rgba(0, 0, 0, 0)"


def test_probabilities_that_do_not_fit_the_text_are_not_shown(page: Page) -> None:
    cases = (
        "", ', "tokens": [{"text": "And", "probability": 0.5}]', ', "tokens": [{"text": "And then", "probability": 1.5}]',
        ', "tokens": [{"text": "And then", "probability": null}]',
    )  # fmt: skip
    answers = iter(
        f'event: text\r\ndata: {{"text": "And then"{told}}}\r\n\r\n: a comment\r\n\r\nevent: done\r\ndata: {{"id": "c"}}\r\n\r\n'
        for told in cases
    )
    page.route("**/v1/generate", lambda route: route.fulfill(status=200, content_type="text/event-stream", body=next(answers)))
    for number in range(1, len(cases) + 1):
        write(page)
        finished(page, number)
        expect(page.locator(".written").first).to_have_text("And then")
        assert page.locator(".token[data-probability]").count() == 0


def test_feedback_carries_the_id_of_its_completion(page: Page, gateway: StandInGateway) -> None:
    write(page, samples=2)
    finished(page, 2)
    first = page.locator(".sample").first
    first.get_by_role("button", name="Thumbs up").click()
    expect(first.locator(".thanks")).to_have_text("Rating saved.")
    expect(first.get_by_role("button", name="Thumbs up")).to_have_attribute("aria-pressed", "true")
    first.get_by_role("button", name="Thumbs down").click()
    expect(first.get_by_role("button", name="Thumbs down")).to_have_attribute("aria-pressed", "true")
    expect(first.get_by_role("button", name="Thumbs up")).to_have_attribute("aria-pressed", "false")
    second = page.locator(".sample").nth(1)
    second.locator(".stars label").nth(3).click()
    expect(second.locator(".thanks")).to_have_text("Rating saved.")
    second.get_by_label("4 stars").focus()
    page.keyboard.press("ArrowRight")
    expect(second.get_by_label("5 stars")).to_be_checked()
    expect(first.get_by_label("5 stars")).not_to_be_checked()
    ids = [(opinion.completion_id, opinion.thumb, opinion.rating) for opinion in gateway.opinions]
    by_seed = {asked.seed: f"cmpl-{number}" for number, asked in enumerate(gateway.asked, 1)}
    one, two = (by_seed[int(page.locator(".sample").nth(n).locator(".link.fact").inner_text().removeprefix("seed "))] for n in (0, 1))
    assert ids[:3] == [(one, "up", None), (one, "down", None), (two, None, 4)]


def test_feedback_that_failed_is_not_shown_as_saved(written: Page, gateway: StandInGateway) -> None:
    gateway.refusals.extend(refusal(429, "rate_limited", "x", {"Retry-After": "5"}) for _ in range(2))
    written.get_by_role("button", name="Thumbs up").click()
    expect(written.locator(".thanks")).to_have_text("Too many requests in a short time.")
    expect(written.get_by_role("button", name="Thumbs up")).to_have_attribute("aria-pressed", "false")
    written.locator(".stars label").nth(1).click()
    expect(written.get_by_label("2 stars")).not_to_be_checked()
    assert gateway.opinions == []


def test_the_whole_text_is_copied(open_page: Open) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    write(page)
    finished(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".thanks")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == PROMPT + WRITTEN


def test_without_a_clipboard_the_text_is_selected(written: Page) -> None:
    written.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    written.get_by_role("button", name="Copy").click()
    expect(written.locator(".thanks")).to_have_text("Selected. Press Ctrl+C or ⌘C to copy.")
    assert written.evaluate("getSelection().toString()").startswith(PROMPT)


def test_a_seed_can_be_reused(written: Page, gateway: StandInGateway) -> None:
    written.get_by_title("Use this seed again").click()
    expect(written.get_by_label("Seed")).to_have_value(str(gateway.asked[0].seed))


def test_an_early_end_shows_its_reason(page: Page, gateway: StandInGateway) -> None:
    reasons = {"refused": "content filter", "context": "512 tokens", "length": "", "end": "", "stop": ""}
    for number, (finish, words) in enumerate(reasons.items(), 1):
        gateway.finish = finish
        write(page)
        finished(page, number)
        expect(page.locator(".broke").first).to_have_text(re.compile(words) if words else "")
        expect(page.locator(".facts").first).to_contain_text("version 3")


def test_an_answer_without_text_events_is_shown(page: Page) -> None:
    def answer(route: Route) -> None:
        body = (
            'event: done\ndata: {"id": "c", "generated_text": [" and so on"], "metadata": {"model_version": "4", "perplexity": null}}\n\n'
        )
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/v1/generate", answer)
    write(page)
    finished(page)
    expect(page.locator(".written")).to_have_text(" and so on")
    expect(page.locator(".facts")).to_contain_text("version 4")
    expect(page.locator(".facts")).not_to_contain_text("perplexity")
