"""Runs each command that messages, help texts and documents print. `tests.e2e.command_table` says how, and which are not run here.

bash and make read a command as typed. In place of `robo-poet`, they start a program that only records its arguments; the command then runs
in this process, because a new process imports for 2 to 4 s. `make soak` types the long ones in processes (`test_long_commands.py`).
"""

import base64
import io
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.__main__ import main
from pipelines.profile.load import FOLDER, available, load_profile
from pipelines.suggestion import advice, profile_file
from robo_poet.model.saved_model import LoadedModel, load_model
from robo_poet.registry.backup.backup import backup
from robo_poet.registry.backup.secret import read_secret
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from robo_poet.request_log.record import Request
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings
from serving.access.api_keys import KeyStore
from serving.access.caller import Consent
from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key
from tests.conftest import verse
from tests.e2e.command_table import BEFORE, MARKS, REFUSED, SILENT, TYPED
from tests.e2e.conftest import FirstRun
from tests.old_form import write_old_form
from tests.repository.commands import ROOT, complete_commands

COMMANDS = complete_commands()
RUN_HERE = sorted(set(COMMANDS) - set(MARKS))
DISTINCT = sorted({TYPED.get(line, line): line for line in RUN_HERE}.values())  # some placeholders make the same command
CI = "ci-shakespeare"
OTHERS = {"poems": 3, "letters": 1, "shakespeare": 2, "speeches": 1}  # model → versions, for commands that name a model
DOCUMENTS = 60  # of a corpus; `data describe` searches them for names
OWN_VARIABLES = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PROFILE", "CORPUS", "MODEL", "RUNNER", "ARGS", "PORT")
STUB = "#!/bin/sh\nprintf '%s\\0' \"$@\" > typed\n"


def faults_of_tables(commands: dict[str, list[str]]) -> dict[str, str]:
    """Return what is wrong between the commands and the tables: command → fault."""
    entries = {*TYPED, *BEFORE, *REFUSED, *SILENT, *MARKS}
    return {
        **dict.fromkeys(entries - set(commands), "its command is gone"),
        **{line: "nobody runs it, and no reason is given" for line, mark in MARKS.items() if not mark.soak and not mark.note},
        **{line: f"mark it: {commands[line]}" for line in set(commands) - set(MARKS) - set(REFUSED) if _is_long(line)},
    }


def test_every_command_is_run_or_marked_and_no_entry_is_left_over() -> None:
    assert faults_of_tables(COMMANDS) == {}
    count = Counter(mark.reason for mark in MARKS.values())
    in_soak = sum(mark.soak for mark in MARKS.values())
    print(f"{len(COMMANDS)} commands: {len(RUN_HERE)} run here ({len(DISTINCT)} distinct), {in_soak} in soak; marked {dict(count)}")
    assert len(RUN_HERE) > 70


def test_a_new_long_command_and_an_entry_without_a_command_are_found() -> None:
    changed = {**COMMANDS, "robo-poet run --set train.epochs=9": ["a page"]}
    del changed["make lock"]
    assert faults_of_tables(changed) == {"robo-poet run --set train.epochs=9": "mark it: ['a page']", "make lock": "its command is gone"}


def _is_long(line: str) -> bool:
    """Return True for a command that trains, serves, builds images, installs or tests, so that it must be marked."""
    if line.startswith("make "):
        return line.split()[1] not in ("help", "clean", "compile") and "--explain" not in line
    return line.split()[1] in ("serve", "images") or (line.split()[1] == "run" and "--explain" not in line)


@pytest.fixture(scope="module")
def finished(first_run: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after a run of `ci`: three versions, two runs, a key, the requests of a day, and corpora. `several` has more models."""
    folder = tmp_path_factory.mktemp("finished") / "robo-poet"
    shutil.copytree(first_run.copy, folder, symlinks=True)
    shutil.copytree(FOLDER, folder / "profiles")
    shutil.copy(ROOT / "Makefile", folder)
    for program, text in (("infra/setup.sh", "#!/bin/sh\n"), (".venv/bin/robo-poet", STUB)):
        (folder / program).parent.mkdir(parents=True)
        (folder / program).write_text(text)
        (folder / program).chmod(0o755)
    earlier = (folder / "runs" / "latest").resolve()
    shutil.copytree(earlier, earlier.with_name("20260101T000000.000-7c51"))
    text = folder / "home" / "poems"
    text.mkdir(parents=True)
    for number in range(DOCUMENTS):
        (text / f"poem {number}.txt").write_text(verse(number, 40), "utf-8")
    shutil.copytree(text, folder / "speeches")
    rows = [path.read_text("utf-8") for path in sorted(text.iterdir())]
    (folder / "poems.csv").write_text("title,body\n" + "".join(f'poem {n},"{row}"\n' for n, row in enumerate(rows)), "utf-8")
    _serve_a_day(folder / ".serve")
    _register(folder, CI, 3)
    shutil.copytree(folder / "registry", folder / "several")
    for model, versions in OTHERS.items():
        _register(folder, model, versions, registry="several")
    return folder


def _register(folder: Path, model: str, versions: int, registry: str = "registry") -> None:
    """Register copies of the first version until the model has so many."""
    first = Registry(folder / "registry", CI).version(1)
    files = {path.name: path for path in first.folder.iterdir() if path.name != "manifest.json"}
    manifest, store = first.manifest(), Registry(folder / registry, model)
    for number in range(len(store.versions()) + 1, versions + 1):
        store.register(
            files, metrics=manifest.metrics, lineage=manifest.lineage, decision=manifest.decision, stage="candidate", who="ada",
            why="a copy", identity=f"{model} {number}",
        )  # fmt: skip
    if store.champion() is None:
        store.promote(1, who="ada", why="the first")


def _serve_a_day(folder: Path) -> None:
    """Write what the gateway leaves: a key and the request log."""
    key = KeyStore(folder / "keys").create("ann", ["generate"], 90, Consent.USER).key
    names, log = Pseudonyms(read_or_create_key(folder / "pseudonyms.key")), Writer(folder / "requests", RequestLogSettings())
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    for number, user in enumerate(("ann", "ben", *(f"reader {n}" for n in range(8)))):
        log.add("request", asdict(Request(
            f"c{number}", f"r{number}", noon + number, names.user(user), CI, 1, "d" * 64, "champion", "the night is long and dark", ["falls softly"],
            {"temperature": 0.8}, 0.05, tokens=[7], finish_reasons=["end"], client="key", consent=names.api_key(key.id),
        )))  # fmt: skip
    log.close()


def _link_or_copy(source: str, target: str) -> None:
    """Link the files of versions and of the store, because nothing changes them; copy the others."""
    (os.link if {"versions", ".store"} & set(Path(source).parts) else shutil.copy2)(source, target)


@pytest.fixture(scope="module")
def load_once() -> Callable[..., LoadedModel]:
    """A function that loads a model at its first call only: all versions have the same files, and loading takes seconds."""
    loaded: list[LoadedModel] = []

    def load(*paths: Path) -> LoadedModel:
        if not loaded:
            loaded.append(load_model(*paths))
        return loaded[0]

    return load


@pytest.fixture
def folder(finished: Path, load_once: Callable[..., LoadedModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished folder, which is the current one; its profiles are the program's."""
    copy = tmp_path / "robo-poet"
    shutil.copytree(finished, copy, symlinks=True, copy_function=_link_or_copy)
    monkeypatch.chdir(copy)
    for name, value in (("HOME", str(copy / "home")), ("COLUMNS", "160"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    for name in OWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(load_profile, "__defaults__", ((), copy / "profiles"))
    monkeypatch.setattr(available, "__defaults__", (copy / "profiles",))
    monkeypatch.setitem(advice.advise.__kwdefaults__, "folder", copy / "profiles")
    monkeypatch.setattr(profile_file, "FOLDER", copy / "profiles")
    monkeypatch.setattr("cli.generation.loaded_version.load_model", load_once)
    return copy


def _prepare(folder: Path, line: str) -> str:
    """Bring the folder into the state that a command needs; return the command as typed."""
    if "registry adopt" in line:
        shutil.rmtree(folder / "registry")
        write_old_form(folder / "registry")
    elif re.search(rf"--model (?!{CI})[a-z]|[a-z]/\d", line):
        shutil.rmtree(folder / "registry")
        (folder / "several").rename(folder / "registry")
    elif "-p poems" in line:
        (folder / "profiles" / "poems.yaml").write_text("extends: ci\ndescription: My poems\n")
    if "backup.key" in line:
        (folder / "backup.key").write_text(f"{base64.b64encode(bytes(32)).decode()}\n")
        (folder / "backup.key").chmod(0o600)
    if "registry restore" in line:
        backup(folder / "registry", folder / "registry.backup", read_secret(folder / "backup.key"), Trust())
    for change in BEFORE.get(line, ()):
        action, number = change.split()
        getattr(Registry(folder / "registry", CI), action)(int(number), who="ada", why="before")
    (key,) = KeyStore(folder / ".serve" / "keys").read_all()
    return TYPED.get(line, line).replace("KEY", key.id)


def _in_bash(folder: Path, line: str) -> tuple[str, list[str] | None]:
    """Type a line in bash. Return what it printed, and the arguments of `robo-poet`, None if it did not start it."""
    typed = line.replace("robo-poet ", ".venv/bin/robo-poet ", 1) if line.startswith("robo-poet ") else line
    done = subprocess.run(["bash", "-c", typed], cwd=folder, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    record = folder / "typed"
    return done.stdout + done.stderr, record.read_text().split("\0")[:-1] if record.exists() else None


@pytest.mark.parametrize("line", DISTINCT)
def test_a_command_runs_as_printed(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    printed, arguments = _in_bash(folder, _prepare(folder, line))
    status, part = REFUSED.get(line, (0, ""))
    ended = 0
    if arguments is not None:
        monkeypatch.setattr(sys, "argv", ["robo-poet", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"The king and all his men\n/settings\n")))
        try:
            main()
        except SystemExit as error:
            ended = error.code if isinstance(error.code, int) else int(error.code is not None)
        printed = "".join(capsys.readouterr())
    assert ended == status, f"{COMMANDS[line]}: {printed}"
    assert part in printed and "Traceback" not in printed
    assert bool(printed.strip()) != (line in SILENT)
