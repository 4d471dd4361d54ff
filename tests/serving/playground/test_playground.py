"""Browser tests of the playground: generation, settings, layout and accessibility."""

import pytest
from playwright.sync_api import Page, expect

from tests.serving.playground.conftest import Open
from tests.serving.playground.stand_in_gateway import KEY, POEM, StandInGateway
from tests.serving.playground.visitor import PROMPT, finished, write

WRITTEN = "".join(text for text, _ in POEM)
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_the_request_follows_serve_2_and_the_metadata_is_shown(page: Page, gateway: StandInGateway) -> None:
    write(page)
    finished(page)
    expect(page.locator(".text")).to_have_text(PROMPT + WRITTEN)
    for fact in ("version 3, champion", "24 tokens", "41 ms", "perplexity 12.3"):
        expect(page.locator(".facts")).to_contain_text(fact)
    (asked,) = gateway.asked
    assert (asked.text, asked.temperature, asked.top_p, asked.top_k, asked.max_length) == (PROMPT, 0.8, 0.9, 50, 100)
    assert asked.stream and asked.token_probabilities and asked.stop_tokens == []
    assert f"seed {asked.seed}" in page.locator(".facts").inner_text()


def test_settings_become_request_fields(page: Page, gateway: StandInGateway) -> None:
    for name, value in {"temperature": "1.45", "top_p": "0.35", "top_k": "7", "max_length": "512"}.items():
        page.locator(f"#{name}").fill(value)
    page.get_by_label("Stop sequences").fill("FINIS\n\\n\\n\n")
    page.get_by_label("Seed").fill("7")
    write(page, samples=5)
    finished(page, 5)
    assert sorted(asked.seed or 0 for asked in gateway.asked) == [7, 8, 9, 10, 11]
    for asked in gateway.asked:
        assert (asked.temperature, asked.top_p, asked.top_k, asked.max_length) == (1.45, 0.35, 7, 512)
        assert asked.stop_tokens == ["FINIS", "\n\n"]


def test_text_appears_while_it_streams(page: Page, gateway: StandInGateway) -> None:
    gateway.go_on.clear()
    write(page, samples=2)
    expect(page.locator(".text")).to_have_text([f"{PROMPT} a summer's"] * 2)
    expect(page.locator(".sample[aria-busy=true]")).to_have_count(2)
    expect(page.locator(".thumb").first).to_be_disabled()
    gateway.go_on.set()
    expect(page.locator(".text")).to_have_text([PROMPT + WRITTEN] * 2)


def test_stop_ends_the_stream_and_keeps_the_text(page: Page, gateway: StandInGateway) -> None:
    gateway.go_on.clear()
    write(page)
    expect(page.locator(".written")).to_have_text(" a summer's")
    page.get_by_role("button", name="Stop").click()
    finished(page)
    expect(page.locator(".broke")).to_have_text("Stopped.")
    expect(page.locator(".written")).to_have_text(" a summer's")
    expect(page.locator("#notice")).to_be_hidden()
    assert gateway.left.wait(10)


def test_the_page_works_with_the_keyboard_only(page: Page, gateway: StandInGateway) -> None:
    gateway.go_on.clear()
    page.get_by_label("Text to continue").focus()
    page.keyboard.type(PROMPT)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".written")).to_have_text(" a summer's")
    page.keyboard.press("Control+Enter")  # ignored during generation
    page.keyboard.press("Escape")
    finished(page)
    assert gateway.left.wait(10) and len(gateway.asked) == 1


def test_generated_markup_is_not_parsed_as_html(page: Page, gateway: StandInGateway) -> None:
    attack = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>&amp;"
    gateway.tokens = [(attack, 0.5), ("</span><iframe>", 0.001)]
    write(page, prompt=attack)
    finished(page)
    expect(page.locator(".text")).to_have_text(attack * 2 + "</span><iframe>")
    assert page.locator("#runs img, #runs script, #runs iframe").count() == 0
    assert page.title() == "robo-poet"


def test_settings_are_stored_but_not_the_text(page: Page, gateway: StandInGateway) -> None:
    page.locator("#temperature").fill("1.2")
    page.get_by_label("Seed").fill("5")
    write(page, samples=3)
    finished(page, 3)
    kept = page.evaluate("JSON.stringify({...localStorage})")
    assert PROMPT not in kept and KEY not in kept and WRITTEN.strip() not in kept
    page.reload()
    expect(page.locator("#temperature")).to_have_value("1.2")
    expect(page.locator("output[for=temperature]")).to_have_text("1.2")
    expect(page.locator("#samples-3")).to_be_checked()
    page.get_by_role("button", name="Reset to defaults").click()
    expect(page.locator("#temperature")).to_have_value("0.8")
    page.evaluate('localStorage.setItem(\'robo-poet.parameters\', \'{"temperature": "hot", "num_samples": "9", "top_k": 7\')')
    page.reload()  # invalid stored values are ignored
    expect(page.locator("#samples-1")).to_be_checked()


def test_the_last_ten_runs_stay_on_the_page(page: Page, gateway: StandInGateway) -> None:
    gateway.tokens = [(" one", 0.5)]
    write(page)
    finished(page)
    for number in range(2, 12):
        gateway.tokens = [(f" {number}", 0.5)]
        page.keyboard.press("Control+Enter")
        expect(page.locator(".run").first.locator(".written")).to_have_text(f" {number}")
        expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
    expect(page.locator(".run .written")).to_have_text([f" {number}" for number in range(11, 1, -1)])


def test_an_invalid_value_is_reported_at_its_field(page: Page, gateway: StandInGateway) -> None:
    for number, (field, value, words) in enumerate((
        ("Text to continue", "  ", "Enter a text"), ("Seed", "-1", "must be an integer"), ("Seed", "2147483648", "must be an integer"),
    ), 1):  # fmt: skip
        page.get_by_label("Text to continue").fill(PROMPT)
        page.get_by_label(field).fill(value)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_label(field)).to_be_focused()
        expect(page.get_by_label(field)).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".error:visible")).to_contain_text(words)
        assert len(gateway.asked) == number - 1
        page.get_by_label(field).fill("9")
        page.keyboard.press("Control+Enter")
        finished(page, number)
        expect(page.locator(".error:visible")).to_have_count(0)


def test_offline_mode_shows_a_banner_and_keeps_the_samples(page: Page) -> None:
    write(page)
    finished(page)
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_disabled()
    expect(page.locator(".text")).to_have_text(PROMPT + WRITTEN)
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_enabled()


def test_samples_are_side_by_side_on_a_desktop(page: Page) -> None:
    write(page, samples=2)
    finished(page, 2)
    left, right = (page.locator(".sample").nth(number).bounding_box() for number in (0, 1))
    assert left and right and left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]


def test_samples_are_stacked_on_a_phone_without_horizontal_scrolling(open_page: Open, gateway: StandInGateway) -> None:
    page = open_page(**PHONE)
    wider = "() => document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(wider)
    page.locator("summary").click()
    assert not page.evaluate(wider)
    gateway.tokens = [*POEM, ("O" * 300, 0.1)]
    write(page, prompt="W" * 200, samples=2)
    finished(page, 2)
    assert not page.evaluate(wider)
    first, second = (page.locator(".sample").nth(number).bounding_box() for number in (0, 1))
    assert first and second and first["x"] == second["x"] and first["y"] + first["height"] <= second["y"]
    for control in page.locator("button:visible, .stars label:visible").all():
        box = control.bounding_box()
        assert box and (box["height"] >= 24 or "link" in (control.get_attribute("class") or "")), control.inner_text()


CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => { for (; element; element = element.parentElement) { const c = channels(getComputedStyle(element).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return channels(getComputedStyle(document.body).backgroundColor); };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest(":disabled, .unseen")) continue;
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), node.data.trim().slice(0, 30)]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_a_contrast_of_at_least_4_5(open_page: Open, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    write(page, samples=2)
    finished(page, 2)
    assert {f"{level}" for level in range(5)} == {token.get_attribute("data-level") for token in page.locator(".token").all()}
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 60
    assert [(ratio, text) for ratio, text in contrasts if ratio < 4.5] == []


def test_every_control_has_a_name(page: Page) -> None:
    write(page)
    finished(page)
    page.get_by_role("button", name="Key …WXYZ").click()
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, input, textarea, dialog, [tabindex]")]
        .filter((e) => !(e.getAttribute("aria-label") || e.labels?.length || e.textContent.trim() || e.getAttribute("aria-labelledby"))).map((e) => e.outerHTML)""")
    assert nameless == []
    assert page.evaluate(
        "[...document.querySelectorAll('[id]')].length === new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size"
    )


def test_reduced_motion_disables_animations(open_page: Open, gateway: StandInGateway) -> None:
    gateway.go_on.clear()
    for wish, names in (("reduce", "none"), ("no-preference", "appear")):
        page = open_page(reduced_motion=wish)
        write(page)
        assert page.locator(".token").first.evaluate("(token) => getComputedStyle(token).animationName") == names
