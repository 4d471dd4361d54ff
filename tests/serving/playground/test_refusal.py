"""Browser tests of the playground: error messages and the API key."""

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
    "starting": (refusal(503, "unavailable", "x"), "The server is not ready"),
    "slow": (refusal(504, "deadline", "x"), "Try a shorter length"),
    "a proxy's page": (Response("<h1>502 Bad Gateway</h1>", 502, media_type="text/html"), "The server reported an internal error"),
    "a defect's words": (refusal(500, "internal", "KeyError: 'x' in /srv/app.py"), "The server reported an internal error"),
    "no JSON object": (Response("[1]", 400, media_type="application/json"), "The server reported an internal error"),
    "another form": (Response('{"detail": {"message": 3}}', 400, media_type="application/json"), "The server reported an internal error"),
}


def test_each_refusal_has_a_message_for_the_user(page: Page, gateway: StandInGateway) -> None:
    for name, (answer, words) in CASES.items():
        gateway.refusals.append(answer)
        write(page)
        expect(page.get_by_role("alert"), name).to_contain_text(words)
        expect(page.get_by_role("alert")).not_to_contain_text("/srv")
        expect(page.locator(".sample")).to_have_count(0)
        expect(page.locator("#blank")).to_be_visible()
        expect(page.locator("#reading")).to_be_hidden()
    page.get_by_role("button", name="Generate", exact=True).click()  # a second attempt is possible
    finished(page)
    expect(page.locator("#notice")).to_be_hidden()


def test_too_many_requests_are_counted_down(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page(locale="en-GB")  # a separate context, because the clock belongs to the context
    page.clock.install()
    gateway.refusals.extend(refusal(429, "rate_limited", "x", {"Retry-After": "42"}) for _ in range(2))
    write(page, samples=2)
    expect(page.get_by_role("alert")).to_contain_text("Too many requests")
    button = page.locator("#write")
    expect(button).to_have_text("Generate in 42 s")
    expect(button).to_be_disabled()
    page.clock.run_for(30_000)
    expect(button).to_have_text("Generate in 12 s")
    page.keyboard.press("Control+Enter")
    assert gateway.asked == []  # the keyboard shortcut is disabled too
    page.clock.run_for(12_000)
    expect(button).to_have_text("Generate")
    expect(button).to_be_enabled()
    expect(page.locator("#notice")).to_be_hidden()


def test_when_one_sample_is_refused_the_others_stay(page: Page, gateway: StandInGateway) -> None:
    gateway.refusals.append(refusal(429, "rate_limited", "x", {"Retry-After": "9"}))
    write(page, samples=3)
    expect(page.locator(".sample:not([aria-busy])")).to_have_count(2)
    expect(page.locator("#write")).to_contain_text(" s")
    expect(page.locator("#progress")).to_have_text("Generated 2 of 3 samples.")


@pytest.mark.parametrize(
    ("field", "said"), [("temperature", "temperature: it is 0.1 to 2"), ("stop_tokens.0", "stop_tokens.0: it is 0.1 to 2")]
)
def test_a_field_error_of_the_server_is_shown_at_the_field(page: Page, gateway: StandInGateway, field: str, said: str) -> None:
    gateway.refusals.append(refusal(422, "invalid_field", said, field=field))
    page.locator("summary").click()  # folded: it opens
    page.get_by_label("Text to continue").fill(PROMPT)
    page.keyboard.press("Control+Enter")
    control = page.locator(f"#{field.split('.')[0]}")
    expect(control).to_be_focused()
    expect(control).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".error:visible")).to_have_text("It is 0.1 to 2.")


def test_an_error_of_an_unknown_field_is_shown_above_the_button(page: Page, gateway: StandInGateway) -> None:
    gateway.refusals.append(refusal(422, "invalid_field", "priority: there is no such field", field="priority"))
    write(page)
    expect(page.get_by_role("alert")).to_contain_text("Priority: there is no such field")


def test_a_lost_connection_keeps_the_text_and_is_reported(page: Page, gateway: StandInGateway) -> None:
    gateway.cut = 2
    write(page)
    finished(page)
    expect(page.locator(".written")).to_have_text(" a summer")
    expect(page.locator(".broke")).to_have_text("The connection was lost here.")
    expect(page.locator(".thumb").first).to_be_disabled()


def test_an_error_event_ends_the_sample_with_its_message(page: Page) -> None:
    def answer(route: Route) -> None:
        error = {"status": "error", "error": {"code": "filtered", "message": "what came next is not said here"}, "status_code": 422}
        body = f'event: text\ndata: {{"text": "And then"}}\n\nevent: error\ndata: {json.dumps(error)}\n\n'
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/v1/generate", answer)
    write(page)
    finished(page)
    expect(page.locator(".written")).to_have_text("And then")
    expect(page.locator(".broke")).to_have_text("What came next is not said here.")


def test_an_unreachable_server_is_reported(page: Page) -> None:
    page.route("**/v1/generate", lambda route: route.abort())
    write(page)
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")


def test_a_key_that_is_not_accepted_can_be_replaced(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page("/#key=rp_wrongwrong_wrong")
    write(page)
    expect(page.get_by_role("alert")).to_contain_text("The key was not accepted")
    page.get_by_role("button", name="Enter another key").click()
    page.get_by_label("API key or token").fill(KEY)
    page.get_by_role("button", name="Use key").click()
    expect(page.locator("#notice")).to_be_hidden()
    write(page)
    finished(page)


def test_without_a_key_the_dialog_opens_and_generation_follows(open_page: Open, gateway: StandInGateway) -> None:
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
    page.get_by_role("button", name="Delete key").click()
    expect(page.get_by_role("button", name="Enter a key")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_key_in_the_url_is_removed_and_kept_in_the_tab(open_page: Open, gateway: StandInGateway) -> None:
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


def test_an_invalid_key_in_the_url_is_removed_and_not_kept(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page("/#key=a%20b%0d%0aX-Evil:%201")
    assert page.url == f"{gateway.address}/"
    expect(page.locator("#key-state")).to_have_text("Enter a key")


def test_a_json_web_token_is_sent_as_a_bearer_token(open_page: Open, gateway: StandInGateway) -> None:
    token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
    page = open_page(f"/#key={token}")
    with page.expect_request("**/v1/generate") as asked:
        write(page)
    assert asked.value.headers["authorization"] == f"Bearer {token}"
    assert "x-api-key" not in asked.value.headers
