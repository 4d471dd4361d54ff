"""Types the printed commands that take minutes, serve, or need a container engine, in a clone of this repository, one after another.

`test_commands.py` runs the others. `tests.e2e.command_table` has the order and what precedes a command.
"""

import csv
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.run.container import engine
from robo_poet.errors import BadInput
from tests.e2e.command_table import MARKS, TYPED
from tests.e2e.corpora.makers import poems
from tests.e2e.reader import Reader, blocks

SECONDS = 2400.0  # of a command, on a busy machine
TEXTS = 40  # rows of poems.csv with one name in the column `book`


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A person with a clone, poems in the home folder, the same poems as a table, and the speeches of the tutorial."""
    folder = tmp_path_factory.mktemp("long")
    person = Reader(folder / "robo-poet")
    home = folder / "home"
    home.mkdir()
    texts = [path.read_text("utf-8") for path in sorted(poems(home).iterdir())]
    with (person.folder / "poems.csv").open("w", encoding="utf-8", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(("book", "text", "body"))
        rows.writerows((f"book {number // TEXTS}", text, text) for number, text in enumerate(texts))
    profile = folder / "poems.yaml"
    profile.write_text(next(block for block in blocks("how-to/prepare-a-corpus.md", "yaml") if "profiles/poems.yaml" in block), "utf-8")
    person.environment |= {"HOME": str(home), "PROFILE_OF_THE_PAGE": str(profile)}
    person.type(blocks("tutorials/own-corpus.md")[0])
    yield person
    person.stop()
    shutil.rmtree(person.folder, ignore_errors=True)


def _typed(line: str) -> str:
    return re.sub(r"(?<![\w./-])robo-poet ", ".venv/bin/robo-poet ", line)


def _port(line: str) -> int:
    found = re.search(r"(?:PORT=|--port )(\d+)", line)
    return int(found[1]) if found else 8080


def _last_run(folder: Path) -> Path | None:
    latest = folder / "runs" / "latest"
    return latest.resolve() if latest.exists() else None


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("line", [line for line, mark in MARKS.items() if mark.soak])
def test_a_long_command_runs_as_printed(line: str, reader: Reader) -> None:
    mark = MARKS[line]
    if mark.reason == "engine":
        try:
            engine.find()
        except BadInput as error:
            pytest.skip(str(error))
    reader.type(_typed(mark.before))
    typed = _typed(TYPED.get(line, line))
    if mark.reason == "serves":
        _serve_and_stop(reader, typed)
        return
    earlier = _last_run(reader.folder)
    printed = reader.type(typed, seconds=SECONDS)
    assert "Traceback" not in printed
    if re.match(r"(make run-pipeline|robo-poet run)\b", line):
        run = _last_run(reader.folder)
        assert run is not None and run != earlier
        summary = json.loads((run / "summary.json").read_text("utf-8"))
        assert summary["status"] == "succeeded" and summary["verdict"] in ("accepted", "rejected"), printed
        assert "next        " in printed
    else:
        assert printed.strip() or line == "make setup"  # it is silent if nothing is to install


def _serve_and_stop(reader: Reader, typed: str) -> None:
    """Start a server, ask for its pages, stop it with Ctrl-C, and check that it has ended."""
    port = _port(typed)
    with socket.socket() as probe:
        assert not port or probe.connect_ex(("127.0.0.1", port)) != 0, f"port {port} is in use; end the program that listens there"
    if _last_run(reader.folder) is None:  # this test runs without the earlier ones
        reader.type("make run-pipeline", seconds=SECONDS)
    try:
        address = reader.serve(typed)
        assert port == 0 or address.endswith(f":{port}")
        page = subprocess.run(["curl", "-sf", f"{address}/"], capture_output=True, text=True, check=True).stdout
        assert "<html" in page.lower()
    finally:
        reader.stop()
    assert subprocess.run(["curl", "-s", f"{address}/readyz"], capture_output=True).returncode != 0, "it still serves"
