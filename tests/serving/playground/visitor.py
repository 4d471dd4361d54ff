"""User actions that several browser tests share."""

from playwright.sync_api import Page, expect

PROMPT = "Shall I compare thee to"


def write(page: Page, prompt: str = PROMPT, samples: int = 1) -> None:
    page.get_by_label("Text to continue").fill(prompt)
    page.locator(f"label[for=samples-{samples}]").click()
    page.get_by_role("button", name="Generate", exact=True).click()


def finished(page: Page, samples: int = 1) -> None:
    """Wait until all samples are generated."""
    expect(page.locator(".sample:not([aria-busy])")).to_have_count(samples)
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
