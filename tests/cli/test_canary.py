"""`robo-poet canary` on a real registry."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.canary import app
from robo_poet.errors import BadInput
from robo_poet.process import user_name
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from tests.robo_poet.registry.released import released

SAID = {"who": "controller", "why": "test"}
Call = Callable[..., Result]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry with a champion and a candidate."""
    return released(tmp_path)


@pytest.fixture
def canary(registry: Registry) -> Registry:
    """The same registry; 2 is canary for 5 % of the users."""
    registry.start_canary(2, **SAID)
    registry.set_share(2, 0, 0.05, **SAID)
    return registry


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that another program uses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Call a command: `call("hold", "--why", "…")`."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--registry", str(tmp_path / "registry")], env={"COLUMNS": "160"})

    return run


def last(registry: Registry) -> tuple[str, int, str, str]:
    said = registry.log()[-1].statement
    return said.action, said.version, said.who, said.why


def test_status_without_a_release(registry: Registry, call: Call) -> None:
    assert call("status").stdout == "poems: no release is going on; poems/1 is the champion\n"
    assert json.loads(call("status", "--json").stdout) == {"model": "poems", "release": None}


def test_status_of_a_canary(canary: Registry, call: Call, tmp_path: Path) -> None:
    before = len(canary.log())
    done = call("status", "--folder", str(tmp_path / "logs"), "--page", str(tmp_path / "pages" / "canary.html"))
    assert done.exit_code == 0 and "poems/2 against poems/1: canary, step 1 of 4, 5% of the users" in done.stdout
    assert "failed requests" in done.stdout and "not measured" in done.stdout and "canary.html" in done.stdout
    assert "Canary of poems" in (tmp_path / "pages" / "canary.html").read_text("utf-8")
    assert len(canary.log()) == before  # a look moves nothing


def test_status_in_a_narrow_terminal(canary: Registry, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["status", "--registry", str(tmp_path / "registry")], env={"COLUMNS": "80"})
    assert "…" not in done.stdout and "length of a completion" in done.stdout and max(map(len, done.stdout.splitlines()[3:])) <= 80


def test_status_as_json_with_a_page(canary: Registry, call: Call, tmp_path: Path) -> None:
    done = call("status", "--folder", str(tmp_path / "logs"), "--json", "--page", str(tmp_path / "canary.html"))

    def no_constant(text: str) -> None:
        raise AssertionError(text)

    shown = json.loads(done.stdout, parse_constant=no_constant)
    assert shown["release"]["share"] == 0.05 and shown["verdict"]["action"] == "continue" and "page" in done.stderr
    assert set(shown["verdict"]["evidence"]["guardrails"]) >= {"errors", "slow", "length"}


def test_hold_and_resume(canary: Registry, call: Call) -> None:
    assert call("hold", "--why", "a party").stdout == "poems/2 is held at 5% of the users\n"
    assert last(canary) == ("hold_canary", 2, user_name(), "a party")
    assert "held    a party" in call("status").stdout
    assert isinstance(call("hold", "--why", "again").exception, BadInput)
    assert call("resume", "--why", "it is over").stdout == "poems/2 goes on at 5% of the users\n"
    assert last(canary) == ("resume_canary", 2, user_name(), "it is over")
    assert isinstance(call("resume", "--why", "again").exception, BadInput)


def test_promote(canary: Registry, call: Call) -> None:
    assert call("promote", "--why", "urgent fix").stdout == "poems/2 is champion\n"
    assert last(canary) == ("promote", 2, user_name(), "urgent fix") and canary.state().watch is None


def test_a_damaged_version_is_not_promoted(canary: Registry, call: Call, tmp_path: Path) -> None:
    stored = [path for path in (tmp_path / "registry").rglob("*") if path.is_file() and path.read_bytes() == b"2"]
    assert stored
    for path in stored:
        path.chmod(0o600)
        path.write_bytes(b"3")
    before = len(canary.log())
    assert isinstance(call("promote", "--why", "urgent fix").exception, BadInput) and len(canary.log()) == before


def test_abort_in_the_ramp(canary: Registry, call: Call) -> None:
    assert call("abort", "--why", "rude texts").stdout == "poems/2 is rejected; the champion serves all users\n"
    assert last(canary) == ("reject", 2, user_name(), "rude texts")


def test_abort_while_it_is_held(canary: Registry, call: Call) -> None:
    call("hold", "--why", "a look")
    assert call("abort", "--why", "rude texts").exit_code == 0 and canary.canary() is None


def test_abort_in_the_watch(canary: Registry, call: Call) -> None:
    canary.promote(2, **SAID, watch_share=0.1)
    assert "watched after its promotion" in call("status").stdout
    assert call("abort", "--why", "rude texts").stdout == "poems/2 is rolled back; poems/1 is champion\n"
    assert last(canary) == ("promote", 1, user_name(), "rude texts") and canary.state().watch is None


@pytest.mark.parametrize("name", ["hold", "resume", "promote", "abort"])
def test_no_canary_is_one_line(registry: Registry, call: Call, name: str) -> None:
    error = call(name, "--why", "x").exception
    assert isinstance(error, BadInput) and "there is no canary" in str(error) and "start-canary" in str(error) and "\n" not in str(error)
    assert call(name).exit_code == 2  # a reason is necessary


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_folder_without_a_registry_has_no_status(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["status", "--registry", str(tmp_path / "none"), *words])
    assert isinstance(done.exception, BadInput) and "has no model of this name" in str(done.exception) and not done.stdout
    assert not (tmp_path / "none").exists()


def test_run_exports_the_metrics_of_the_controller(canary: Registry, tmp_path: Path) -> None:
    places = ["--registry", f"{tmp_path}/registry", "--folder", f"{tmp_path}/logs", "--metrics-port", "0"]
    words = [str(Path(sys.executable).parent / "robo-poet"), "canary", "run", *places]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stderr
            address = re.search(r"every 5 s; metrics at (http://127.0.0.1:\d+/metrics); stop with Ctrl-C", process.stdout.readline())
            assert address is not None, process.stderr.read()
            text = urllib.request.urlopen(address[1], timeout=5).read().decode()
            assert 'robo_poet_canary_errors_total{model="poems"} 0.0' in text
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_a_port_of_the_metrics_that_is_in_use_is_one_line(canary: Registry, call: Call, listener: int) -> None:
    error = call("run", "--metrics-port", str(listener)).exception
    assert isinstance(error, BadInput) and str(error).startswith(f"127.0.0.1:{listener}: the port of the metrics cannot be used")
    assert str(error).endswith("set --metrics-port")


def test_all_commands_trust_the_keys_of_the_profile(canary: Registry, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    author = Trust().signer().public.text
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "another user"))
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{author}\n")
    named = ("--set", f'serve.trusted_keys=["{keys}"]')
    for words in (("status",), ("hold", "--why", "x")):
        assert "is signed by an unknown key" in str(call(*words).exception)
    assert "poems/2 against poems/1" in call("status", *named).stdout
    refused = str(call("hold", "--why", "x", *named).exception)  # a reader who trusts the author may not sign
    assert f"the signing key is not one of the trusted keys; add this line to {keys}: " in refused
    keys.write_text(f"{author}\n{refused.split()[-1]}\n")
    assert call("hold", "--why", "a party", *named).stdout == "poems/2 is held at 5% of the users\n"
    assert call("resume", "--why", "over", *named).exit_code == 0
    assert call("abort", "--why", "rude texts", *named).stdout == "poems/2 is rejected; the champion serves all users\n"
