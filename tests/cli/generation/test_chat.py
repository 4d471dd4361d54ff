"""Covers: chat, chat_commands, chat_session."""

import errno
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.generation.chat import chat
from robo_poet.errors import BadInput
from robo_poet.model.completion import Completion
from robo_poet.model.saved_model import stream

pytestmark = pytest.mark.usefixtures("quick_loading")


def talk(registry: Path, lines: str, *words: str) -> Result:
    app = typer.Typer()
    app.command()(chat)
    command = [*words, "--registry", str(registry)]
    return CliRunner().invoke(app, command, input=lines.encode("utf-8", "surrogateescape"), catch_exceptions=False)


SHORT = ("-s", "max-length=20", "--seed", "5")


def test_a_piped_chat_prints_only_generated_text_and_continues_it(toy_registry: Path, tmp_path: Path) -> None:
    saved = tmp_path / "poem.txt"
    found = talk(toy_registry, f"my heart burns\n\nthe rose\n/save {saved}\n", *SHORT)
    assert found.exit_code == 0
    assert "> " not in found.stdout
    notes = found.stderr.splitlines()
    assert [note.split(" tokens/s")[0].rsplit(" · ", 1)[0] for note in notes[:3]] == ["seed 5 · 20 tokens"] * 3
    assert notes[3] == f"saved the text to {saved}"
    text = saved.read_text()
    assert text.startswith("my heart burns")
    assert "\nthe rose" in text
    # What is on the screen is the text without what was said; each answer ends its line there.
    assert found.stdout.replace("\n", "") == text.replace("my heart burns", "", 1).replace("\nthe rose", "", 1).replace("\n", "")


def test_the_model_reads_the_whole_text(toy_registry: Path) -> None:
    once = talk(toy_registry, "my heart burns\n/text\n", "-s", "max-length=40", "--seed", "5").stdout.splitlines()
    twice = talk(toy_registry, "my heart burns\n\n/text\n", *SHORT).stdout
    whole = "\n".join(once[once.index(next(line for line in once if line.startswith("my heart burns"))) :])
    assert whole in twice  # twenty tokens and twenty more, with one seed, are forty


def test_again_undo_and_reset(toy_registry: Path) -> None:
    def texts(lines: str) -> list[str]:
        parts = talk(toy_registry, f"my heart burns\n{lines}", *SHORT).stdout.split("my heart burns")
        return parts[1:]

    first, anew, back = texts("/text\n/again\n/text\n/undo\n/text\n")
    assert anew.split("\n")[0] != first.split("\n")[0]
    assert first.startswith(back.rstrip("\n"))
    assert talk(toy_registry, "my heart burns\n/reset\n/text\n", *SHORT).stderr.endswith("there is no text yet\n")
    assert talk(toy_registry, "my heart burns\n/undo\n/text\n", *SHORT).stderr.endswith("the text is empty\nthere is no text yet\n")


def test_an_error_is_one_line_and_the_session_continues(toy_registry: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("precious")
    lines = [
        "", "/again", "/undo", "/nope", "/undo 3", "/set temperature 9", "/set warmth 1", "/seed x", "/version 9",
        "/version 3", "/version x", "/save", "bad \udcff bytes", "my heart burns", f"/save {there}", "/save", "/settings",
    ]  # fmt: skip
    found = talk(toy_registry, "\n".join(lines), *SHORT)
    errors = [line for line in found.stderr.splitlines() if line.startswith("error: ")]
    expected = [
        "there is no text yet; type the beginning of a text", "there is no text yet", "there is nothing to undo",
        "unknown command /nope; /help lists the commands", "/undo: this command takes no argument", "temperature: 9.0 is out of range",
        "unknown setting 'warmth'", "'x' is not a seed", "there is no version 9",
        str(toy_registry), "'x' is not a version number", "there is no text yet", "this line: the text is not valid UTF-8",
        f"{there}: the file exists; give another name", "/save: the name of the file is missing",
    ]  # fmt: skip
    assert [error.removeprefix("error: ")[: len(start)] for error, start in zip(errors, expected, strict=True)] == expected
    assert found.exit_code == 1
    assert there.read_text() == "precious"
    assert "temperature         0.8" in found.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--set", "max-length=9999"], "--set max-length: 9999 is out of range"),
        (["--set", "x=1"], "unknown setting 'x'"),
        ([], "no champion yet; to train one: .venv/bin/robo-poet run"),
    ],
)
def test_a_chat_that_cannot_start_has_a_one_line_message(tmp_path: Path, words: list[str], line: str) -> None:
    with pytest.raises(BadInput) as error:
        talk(tmp_path, "", *words)
    assert line in str(error.value)


def test_a_text_beyond_the_context_is_cut_with_a_note(toy_registry: Path) -> None:
    found = talk(
        toy_registry, "the rose sleeps.\\\n" * 200 + "my heart burns\n", "-s", "max-length=500", "--seed", "1", "-s", "min-length=500"
    )
    assert "the context of 512 tokens is full · the model did not read the first " in found.stderr
    assert "characters, which no longer fit its context" in found.stderr


def test_settings_seed_and_version_can_change_during_the_chat(toy_registry: Path) -> None:
    lines = [
        "/set stop .",
        "/seed 7",
        "/seed",
        "/seed random",
        "/set",
        "/version 2",
        "/versions",
        "/version",
        "/help",
        "//slash begins this",
        "/text",
    ]
    found = talk(toy_registry, "\n".join([*lines, "/quit", "/never"]))
    assert found.exit_code == 0
    for note in (
        'stop is "."',
        "every answer uses seed 7\nevery answer",
        "each answer uses a new random seed",
        "shakespeare/2 (rejected: a toy) · perplexity 42.0",
    ):
        assert note in found.stderr
    assert "  shakespeare/1 (champion) · perplexity 41.0 · bits per byte 2.500\n* shakespeare/2 (rejected" in found.stdout
    assert "/slash begins this" in found.stdout
    assert "/set NAME VALUE" in found.stdout


def test_ctrl_c_keeps_the_text_so_far(toy_registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressing(*given: Any) -> Iterator[Completion]:
        for number, written in enumerate(stream(*given)):
            if number == 1:
                os.kill(os.getpid(), signal.SIGINT)
            yield written

    monkeypatch.setattr("cli.generation.chat_session.stream", pressing)
    found = talk(toy_registry, "my heart burns\n/text\n", "--seed", "5", "-s", "min-length=100")
    assert "seed 5 · 24 tokens · " in found.stderr  # two pieces, of 8 and 16
    assert "stopped by Ctrl-C" in found.stderr
    answer, text = found.stdout.split("my heart burns")
    assert answer.rstrip("\n") == text.rstrip("\n")


WAITS_FOR_A_KEY = ("7", "23", "270", "271")  # poll, select, pselect6, ppoll on x86-64


class Terminal:
    """A chat in a pseudo-terminal."""

    def __init__(self, *words: str) -> None:
        self._end, theirs = pty.openpty()
        # As in the foreground of a shell: started by a job in the background, a process would have been told to pass over Ctrl-C.
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from cli.__main__ import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "chat", *words], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def until(self, text: str, limit: float = 120) -> str:
        """Read the output until `text` appears; return the output up to its end."""
        deadline = time.monotonic() + limit
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} did not come: {self.seen!r}"
            if select.select([self._end], [], [], 1)[0]:
                try:
                    self.seen += os.read(self._end, 65536).decode(errors="replace")
                except OSError as error:
                    assert error.errno == errno.EIO, error  # the other end is closed
                    assert text in self.seen, self.seen
        found, _, self.seen = self.seen.partition(text)
        return found + text

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def press_ctrl_c(self) -> None:
        """Once the program waits for a key: a signal just before it is seen at the next key only, and a person is not so fast."""
        call = Path(f"/proc/{self.process.pid}/syscall")
        for _ in range(300):
            time.sleep(0.1)
            if call.read_text().split()[0] in WAITS_FOR_A_KEY:
                break
        self.process.send_signal(signal.SIGINT)

    def end(self) -> None:
        """Kill the process in any state."""
        self.process.kill()
        self.process.wait()
        os.close(self._end)


def test_in_a_terminal_ctrl_c_pressed_twice_ends_the_chat(toy_registry: Path, request: pytest.FixtureRequest) -> None:
    terminal = Terminal("--registry", str(toy_registry))
    request.addfinalizer(terminal.end)
    assert "loading shakespeare/1" in terminal.until("shakespeare/1 (champion) · perplexity 41.0 · bits per byte 2.500")
    assert "/help lists the commands, Ctrl-D ends the chat" in terminal.until("> ")
    terminal.type("my heart burns\r")
    terminal.until("100 tokens · ")
    terminal.until("> ")
    terminal.press_ctrl_c()
    terminal.until("the text is not saved: save it with /save poem.txt, or press Ctrl-C again to end the chat")
    terminal.until("> ")
    terminal.type("/te\t\r")
    assert "my heart burns" in terminal.until("> ")
    terminal.press_ctrl_c()
    terminal.until("press Ctrl-C again to end the chat")
    terminal.until("> ")
    terminal.press_ctrl_c()
    terminal.until("the chat ended; /quit and Ctrl-D end it, too")
    assert terminal.process.wait(60) == 130
