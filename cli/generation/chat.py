"""`robo-poet chat`: the user and a model version write one text in turns (GEN-3)."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli import INTERRUPTED
from cli.generation.sampling_options import LARGEST_SEED, parse_setting, sampling_of
from cli.profile import Model
from cli.registry.opening import HOME, Folder
from robo_poet.errors import BadInput

if TYPE_CHECKING:
    from cli.generation.chat_session import Session


WELCOME = "Type the beginning of a text, and the model continues it. Enter alone: continue. /help lists the commands, Ctrl-D ends the chat."


def chat(
    version: Annotated[int, typer.Option("--version", "-v", help="Number of a version of the registry; 0 is the champion.")] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="Sampling setting: --set temperature=0.6 (repeatable). In the chat, /set changes it."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=LARGEST_SEED, help="Seed of every answer. Default: a new random seed for each answer.")
    ] = None,
    model: Model = "",
    registry: Folder = HOME,
) -> None:
    """Write a text in turns with the champion or another version of the registry.

    Type the beginning of a text. The model continues it, and you can type on.
    Commands in the chat start with a slash: /help lists them, /settings lists the
    sampling settings, /save FILE saves the text.

    Example: `robo-poet chat --set temperature=0.6 --set max-length=60`
    """
    chosen_settings = dict(parse_setting(words) for words in settings or [])
    sampling_of(chosen_settings, "--set ")  # reject a wrong value before the model is loaded, which takes seconds
    from cli.generation.chat_session import Session

    session = Session(registry, model, version, chosen_settings, seed)
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    if interactive:
        _enable_line_editing()
        session.introduce()
        print(WELCOME)
    failures = _converse(session, interactive)
    if failures and not interactive:
        raise typer.Exit(1)  # each failure is already reported; the exit status tells scripts


def _converse(session: "Session", interactive: bool) -> int:
    """Read lines and answer them until the end of input; return how many lines failed.

    With unsaved text, the first Ctrl-C only warns and the second one leaves.
    """
    from cli.generation.chat_commands import run_line
    from cli.generation.terminal import note

    failures, warned = 0, False
    lines = _read_lines("> " if interactive else "")
    while not session.ended:
        try:
            line = next(lines, None)
            if line is None:
                break
            warned = False
            run_line(session, line)
        except BadInput as error:
            fault = str(error)
        except BrokenPipeError:
            raise  # the reading end of the pipe is closed
        except OSError as error:  # from /save
            fault = f"{error.filename or 'this command'}: {(error.strerror or str(error)).lower()}"
        except KeyboardInterrupt:
            print()
            if warned or not session.unsaved or not interactive:
                note("the chat ended; /quit and Ctrl-D end it, too")
                raise typer.Exit(INTERRUPTED) from None
            warned = True
            note("the text is not saved: save it with /save poem.txt, or press Ctrl-C again to end the chat")
            lines = _read_lines("> ")  # an interrupted generator is finished
            continue
        else:
            continue
        failures += 1
        note(f"error: {fault}", "red")
    return failures


def _read_lines(prompt: str) -> Iterator[str]:
    """Yield typed or piped lines until the end of input. A backslash at the end of a line joins it with the next line."""
    sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # invalid UTF-8 rejects one line and does not end the chat
    pending = ""
    while True:
        try:
            line = input("  " if pending and prompt else prompt)
        except EOFError:
            if prompt:
                print()  # so that the shell prompt starts on a new line
            if pending:
                yield pending
            return
        if line.endswith("\\"):
            pending += f"{line[:-1]}\n"
        else:
            yield pending + line
            pending = ""


def _enable_line_editing() -> None:
    """Enable line editing, history and Tab completion of commands if Python has readline."""
    try:
        import readline
    except ImportError:
        return
    from cli.generation.chat_commands import COMMANDS

    def complete(prefix: str, index: int) -> str | None:
        return [*(name for name in COMMANDS if prefix.startswith("/") and name.startswith(prefix)), None][index]

    readline.set_completer_delims(" ")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
