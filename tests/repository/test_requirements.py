"""Requirement IDs in code, tests and docs are defined in docs/requirements.md, so that a reader can look each up."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GROUPS = ("PIPE", "DATA", "MODEL", "TRAIN", "GEN", "EVAL", "REG", "SERVE", "MON", "INFRA")
ID = re.compile(rf"\b(?:{'|'.join(GROUPS)})-\d+\b")
STATES = {"done", "partly", "open"}


def definitions() -> dict[str, str]:
    """Return the state of each ID that docs/requirements.md defines."""
    rows = re.findall(rf"^\| ({ID.pattern}) \| .+ \| (\w+) \| .*\|$", (ROOT / "docs" / "requirements.md").read_text(), re.MULTILINE)
    return dict(rows)


def cited() -> dict[str, set[str]]:
    """Return the files that cite each ID."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    places: dict[str, set[str]] = {}
    for name in files:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".html"} and path.is_file():
            for found in ID.findall(path.read_text("utf-8")):
                places.setdefault(found, set()).add(name)
    return places


def test_every_cited_id_is_defined() -> None:
    undefined = {name: sorted(places) for name, places in cited().items() if name not in definitions()}
    assert undefined == {}


def test_every_definition_has_a_state_and_every_group_has_definitions() -> None:
    assert set(definitions().values()) == STATES
    assert {name.split("-")[0] for name in definitions()} == set(GROUPS)


def test_what_is_partly_done_or_open_says_what_is_missing() -> None:
    for line in (ROOT / "docs" / "requirements.md").read_text().splitlines():
        if ID.search(line) and line.startswith("|"):
            *_, state, missing, _ = (cell.strip() for cell in line.split("|"))
            assert (state == "partly") <= bool(missing), line
