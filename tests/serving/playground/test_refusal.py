"""A visitor gets no text, and reads why; and the key, which is why most often."""

import json

import pytest
from playwright.sync_api import Page, Route, expect
from starlette.responses import Response

from tests.serving.playground.conftest import Open
from tests.serving.playground.stand_in_gateway import KEY, StandInGateway, refusal
from tests.serving.playground.visitor import PROMPT, finished, write

CASES = {
    "forbidden": (refusal(403, "forbidden", "this key has no scope generate"), "This key has no scope generate."),
    "filtered": (refusal(400, "filtered", "the text has words that are not allowed here; take them out"), "take them out"),
    "starting": (refusal(503, "unavailable", "x"), "The poet is not ready"),
    "slow": (refusal(504, "deadline", "x"), "A shorter length may help"),
    "a proxy's page": (Response("<h1>502 Bad Gateway</h1>", 502, media_type="text/html"), "Something went wrong on the server"),
    "a defect's words": (refusal(500, "internal", "KeyError: 'x' in /srv/app.py"), "Something went wrong on the server"),
    "no JSON object": (Response("[1]", 400, media_type="application/json"), "Something went wrong on the server"),
    "another form": (Response('{"detail": {"message": 3}}', 400, media_type="application/json"), "Something went wrong on the server"),
}


def test_each_refusal_in_plain_words(page: Page, gateway: StandInGateway) -> None:
    for name, (answer, words) in CASES.items():
        gateway.refusals.append(answer)
        write(page)
        expect(page.get_by_role("alert"), name).to_contain_text(words)
        expect(page.get_by_role("alert")).not_to_contain_text("/srv")
        expect(page.locator(".sample")).to_have_count(0)
        expect(page.locator("#blank")).to_be_visible()
        expect(page.locator("#reading")).to_be_hidden()
    page.get_by_role("button", name="Write", exact=True).click()  # and again is possible
    finished(page)
    expect(page.locator("#notice")).to_be_hidden()


def test_too_many_requests_are_counted_down(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page(locale="en-GB")  # a visitor of its own: the clock is the whole visitor's
    page.clock.install()
    gateway.refusals.extend(refusal(429, "rate_limited", "x", {"Retry-After": "42"}) for _ in range(2))
    write(page, samples=2)
    expect(page.get_by_role("alert")).to_contain_text("a lot in a short time")
    button = page.locator("#write")
    expect(button).to_have_text("Write in 42 s")
    expect(button).to_be_disabled()
    page.clock.run_for(30_000)
    expect(button).to_have_text("Write in 12 s")
    page.keyboard.press("Control+Enter")
    assert gateway.asked == []  # not by the keyboard either
    page.clock.run_for(12_000)
    expect(button).to_have_text("Write")
    expect(button).to_be_enabled()
    expect(page.locator("#notice")).to_be_hidden()


def test_one_of_several_is_refused_and_the_others_stay(page: Page, gateway: StandInGateway) -> None:
    gateway.refusals.append(refusal(429, "rate_limited", "x", {"Retry-After": "9"}))
    write(page, samples=3)
    expect(page.locator(".sample:not([aria-busy])")).to_have_count(2)
    expect(page.locator("#write")).to_contain_text(" s")
    expect(page.locator("#progress")).to_have_text("Written: 2 of 3.")


@pytest.mark.parametrize(
    ("field", "said"), [("temperature", "temperature: it is 0.1 to 2"), ("stop_tokens.0", "stop_tokens.0: it is 0.1 to 2")]
)
def test_a_field_that_the_server_refuses_is_named_at_the_field(page: Page, gateway: StandInGateway, field: str, said: str) -> None:
    gateway.refusals.append(refusal(422, "invalid_field", said, field=field))
    page.locator("summary").click()  # folded: it opens
    page.get_by_label("Begin a text").fill(PROMPT)
    page.keyboard.press("Control+Enter")
    control = page.locator(f"#{field.split('.')[0]}")
    expect(control).to_be_focused()
    expect(control).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".error:visible")).to_have_text("It is 0.1 to 2.")


def test_a_field_that_is_not_on_the_page_is_said_above_the_button(page: Page, gateway: StandInGateway) -> None:
    gateway.refusals.append(refusal(422, "invalid_field", "priority: there is no such field", field="priority"))
    write(page)
    expect(page.get_by_role("alert")).to_contain_text("Priority: there is no such field")


def test_a_stream_that_breaks_off_keeps_its_text_and_says_so(page: Page, gateway: StandInGateway) -> None:
    gateway.cut = 2
    write(page)
    finished(page)
    expect(page.locator(".written")).to_have_text(" a summer")
    expect(page.locator(".broke")).to_have_text("The connection broke off here.")
    expect(page.locator(".thumb").first).to_be_disabled()


def test_a_refusal_in_the_middle_of_a_stream(page: Page) -> None:
    def answer(route: Route) -> None:
        error = {"status": "error", "error": {"code": "filtered", "message": "what came next is not said here"}, "status_code": 422}
        body = f'event: text\ndata: {{"text": "And then"}}\n\nevent: error\ndata: {json.dumps(error)}\n\n'
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/v1/generate", answer)
    write(page)
    finished(page)
    expect(page.locator(".written")).to_have_text("And then")
    expect(page.locator(".broke")).to_have_text("What came next is not said here.")


def test_no_server(page: Page) -> None:
    page.route("**/v1/generate", lambda route: route.abort())
    write(page)
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")


def test_a_key_that_is_not_accepted_can_be_replaced(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page("/#key=rp_wrongwrong_wrong")
    write(page)
    expect(page.get_by_role("alert")).to_contain_text("The key was not accepted")
    page.get_by_role("button", name="Enter another key").click()
    page.get_by_label("API key or token").fill(KEY)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#notice")).to_be_hidden()
    write(page)
    finished(page)


def test_who_has_no_key_is_asked_for_it_and_goes_on(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page("/")
    write(page)
    key = page.get_by_label("API key or token")
    expect(key).to_be_focused()
    for not_a_key in ("", "two words", "ключ-ключ"):
        key.fill(not_a_key)
        page.keyboard.press("Enter")
        expect(page.locator("#key-error")).to_be_visible()
    key.fill(f" {KEY} ")
    page.keyboard.press("Enter")
    finished(page)
    page.get_by_role("button", name="Key …WXYZ").click()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_role("button", name="Enter a key")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_the_key_in_the_link_leaves_the_address_and_stays_in_the_tab(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page("/?from=mail")
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{gateway.address}/?from=mail#key={KEY}")  # in an open tab: no load, only a new fragment
    expect(page.locator("#key-state")).to_have_text("Key …WXYZ")
    assert page.url == f"{gateway.address}/?from=mail"
    assert page.evaluate("[sessionStorage.getItem('robo-poet.key'), JSON.stringify({...localStorage}), document.cookie]") == [KEY, "{}", ""]
    page.reload()
    expect(page.locator("#key-state")).to_have_text("Key …WXYZ")
    write(page)
    finished(page)
    assert requested and not any(KEY in url for url in requested)
    assert KEY not in page.content()
    page.go_back()
    assert KEY not in page.url
    other = page.context.new_page()  # another tab has to be given it
    other.goto(gateway.address)
    expect(other.locator("#key-state")).to_have_text("Enter a key")
    other.close()


def test_a_fragment_that_is_no_key_is_removed_and_not_kept(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page("/#key=a%20b%0d%0aX-Evil:%201")
    assert page.url == f"{gateway.address}/"
    expect(page.locator("#key-state")).to_have_text("Enter a key")


def test_a_token_is_sent_as_a_bearer(open_page: Open, gateway: StandInGateway) -> None:
    token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
    page = open_page(f"/#key={token}")
    with page.expect_request("**/v1/generate") as asked:
        write(page)
    assert asked.value.headers["authorization"] == f"Bearer {token}"
    assert "x-api-key" not in asked.value.headers
