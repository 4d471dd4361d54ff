"""Tests of the local server's child processes, ports and start-up errors. tests/e2e/test_serve.py runs the whole server."""

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.settings.serve import ServeSettings
from serving.local import ServingProcess, _port_or_any, serving

StartProgram = Callable[[str], ServingProcess]


@pytest.fixture
def start_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartProgram]:
    """Return a function that starts a shell script instead of the Python module `serving.gateway`."""
    programs: list[ServingProcess] = []

    def start(script: str) -> ServingProcess:
        interpreter = tmp_path / "interpreter"
        interpreter.write_text(f"#!/bin/sh\n{script}\n")
        interpreter.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(interpreter))
        programs.append(ServingProcess("gateway", ["--option"], tmp_path / "gateway.log"))
        return programs[-1]

    yield start
    for program in programs:
        program.stop()


def test_a_program_returns_its_ready_line(start_program: StartProgram) -> None:
    program = start_program('echo "loading"; echo "gateway: ready http://127.0.0.1:1 $*"; exec sleep 60')
    assert program.ready() == "gateway: ready http://127.0.0.1:1 -m serving.gateway --option"


def test_stop_ends_a_running_program(start_program: StartProgram) -> None:
    program = start_program('echo "gateway: ready"; exec sleep 60')
    program.ready()
    program.stop()
    assert program.process.returncode == -15


def test_a_program_that_does_not_start_is_reported_with_the_last_line_of_its_log(start_program: StartProgram, tmp_path: Path) -> None:
    program = start_program('echo "first" >&2; echo "error: port: it is in use" >&2; exit 2')
    with pytest.raises(BadInput, match=r"gateway: the program did not start \(error: port: it is in use\)") as error:
        program.ready()
    assert str(tmp_path / "gateway.log") in str(error.value)


def test_a_program_that_prints_nothing_is_reported(start_program: StartProgram) -> None:
    with pytest.raises(BadInput, match="no output"):
        start_program("exit 1").ready()


def test_a_program_that_is_not_ready_in_time_is_killed(start_program: StartProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.local.READY_SECONDS", 0.2)
    program = start_program("exec sleep 60")
    with pytest.raises(BadInput, match="did not start"):
        program.ready()
    assert program.process.returncode == -9


def test_a_port_in_use_is_replaced_by_any_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert _port_or_any(port) == 0
    assert _port_or_any(port) == port


def test_without_a_champion_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="champion"), serving(ServeSettings(port=0), tmp_path / "registry", tmp_path / "serve"):
        pass
    assert not (tmp_path / "serve" / "keys").exists()


def test_a_port_in_use_names_the_variable_before_a_program_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BadInput) as error, serving(ServeSettings(port=port), tmp_path / "registry", tmp_path / "serve"):
            raise AssertionError("unreachable")
    assert str(error.value).startswith(f"127.0.0.1:{port}: the address cannot be used (address already in use); take a free port: make ")
    assert (
        "MODEL=shakespeare PORT=0" in str(error.value)
        and "serve --model shakespeare --port 0" in str(error.value)
        and not (tmp_path / "serve").exists()
    )
