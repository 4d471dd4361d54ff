"""A browser, the page in it, and a gateway that says what a test wants."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.serving.playground.stand_in_gateway import KEY, StandInGateway, served

expect.set_options(timeout=10_000)
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a module: the driver's event loop would be in the way of other rooms' tests."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def gateway_of_module() -> Iterator[StandInGateway]:
    with served(StandInGateway()) as stand_in:
        yield stand_in


@pytest.fixture
def gateway(gateway_of_module: StandInGateway) -> Iterator[StandInGateway]:
    gateway_of_module.reset()
    yield gateway_of_module
    gateway_of_module.go_on.set()
    assert gateway_of_module.malformed == []


@pytest.fixture
def open_page(browser: Browser, gateway: StandInGateway) -> Iterator[Open]:
    """Opens the page as a visitor with a key. At the end nothing was amiss: no error in the console, no violation of the policy."""
    amiss: list[str] = []
    contexts = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:  # a refusal that a test asked for
            amiss.append(message.text)

    def opened(address: str = f"/#key={KEY}", **visitor: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **visitor})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", heard)
        page.on("pageerror", lambda error: amiss.append(str(error)))
        page.goto(gateway.address + address)
        expect(page.locator(".example").first).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert amiss == []


@pytest.fixture
def page(open_page: Open) -> Page:
    return open_page()
