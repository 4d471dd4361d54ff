"""Links between our pages lead somewhere, and so do the pages that code and messages name."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
PAGES = [name for name in FILES if name.endswith(".md")]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_relative_links_lead_to_a_page_and_a_heading(name: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        page = (ROOT / name).parent / file if file else ROOT / name
        assert page.exists(), f"{name}: {target}"
        assert not anchor or anchor in anchors(page), f"{name}: {target}"


def test_pages_that_the_code_names_exist() -> None:
    missing = set()
    for name in FILES:
        path = ROOT / name
        if path.suffix in {".py", ".yaml", ".toml", ".sh", ".html"} and path.is_file():
            pages = re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text("utf-8"))
            missing |= {f"{name}: {page}" for page in pages if not (ROOT / page).is_file()}
    assert missing == set()
