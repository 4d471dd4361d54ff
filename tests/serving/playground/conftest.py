"""Fixtures: a browser, the page, and a stand-in gateway with configurable answers."""

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
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
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


class Visitor:
    """Someone with settings of their own, and one tab: a new one for each test would cost as much as the test.

    Attributes:
        amiss: what the console said that it should not have.
    """

    def __init__(self, browser: Browser, settings: dict[str, Any]) -> None:
        self.amiss: list[str] = []
        self.page = browser.new_context(**settings).new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.amiss.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:  # a refusal that a test asked for
            self.amiss.append(message.text)

    def leave(self) -> list[str]:
        """Forget all; returns what was amiss."""
        self.page.unroute_all()
        self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.page.goto("about:blank")
        amiss, self.amiss = self.amiss, []
        return amiss


@pytest.fixture(scope="module")
def visitors(browser: Browser) -> Iterator[dict[str, Visitor]]:
    found: dict[str, Visitor] = {}
    yield found
    for visitor in found.values():
        visitor.page.context.close()


@pytest.fixture
def open_page(browser: Browser, visitors: dict[str, Visitor], gateway: StandInGateway) -> Iterator[Open]:
    """Opens the page as a visitor with a key. At the end nothing was amiss: no error in the console, no violation of the policy."""
    here: list[Visitor] = []

    def opened(address: str = f"/#key={KEY}", **wishes: Any) -> Page:
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **wishes}
        visitor = visitors.get(repr(settings)) or visitors.setdefault(repr(settings), Visitor(browser, settings))
        here.append(visitor)
        visitor.page.goto(gateway.address + address)
        expect(visitor.page.locator(".example").first).to_be_visible()
        return visitor.page

    yield opened
    gateway.go_on.set()
    assert [words for visitor in here for words in visitor.leave()] == []


@pytest.fixture
def page(open_page: Open) -> Page:
    return open_page()
