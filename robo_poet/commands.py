"""Commands that messages suggest, written so that they run when the user types them in the current folder.

`make setup` installs `robo-poet` into `.venv`, which is not on the PATH unless the user activates it. Tests collect every
command of messages and documents: `tests/repository/test_commands.py` checks that it exists, and `tests/e2e/test_commands.py` runs it.
"""

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = "robo-poet"
ROOT = Path(__file__).resolve().parents[1]
_repeated: list[tuple[str, str, Callable[[str], bool]]] = []


def command(words: str) -> str:
    """Return `robo-poet WORDS` as the user can type it: with the path of the program if it is not on the PATH, and with repeated options.

    Args:
        words: subcommand, options and arguments, quoted for a shell.
    """
    again = (f" {option} {shlex.quote(value)}" for option, value, takes in _repeated if f" {option} " not in words and takes(words))
    return f"{program()} {words}{''.join(again)}"


@contextmanager
def repeated_option(option: str, value: str, takes: Callable[[str], bool]) -> Iterator[None]:
    """Add an option that the user gave to each command that messages suggest while the block runs, so that it acts on the same thing.

    Args:
        option: its name, such as `--registry`.
        takes: called with the words of a command; returns True if this command has the option.
    """
    entry = (option, value, takes)
    _repeated.append(entry)
    try:
        yield
    finally:
        _repeated.remove(entry)


def make(target: str) -> str:
    """Return `make TARGET` as the user can type it: with the folder of the Makefile if that is not the current folder."""
    if not (ROOT / "Makefile").is_file() or Path.cwd() == ROOT:  # a container has no Makefile
        return f"make {target}"
    return f"make -C {shlex.quote(str(ROOT))} {target}"


def program(name: str = PROGRAM) -> str:
    """Return the name of a program of this installation if it is on the PATH; otherwise return its path, quoted for a shell."""
    places = (ROOT / ".venv" / "bin" / name, Path(sys.executable).parent / name)
    installed = next((place for place in places if place.is_file()), None)
    if installed is None:  # in a container of a step
        return name
    on_path = shutil.which(name)
    if on_path is not None and installed.samefile(on_path):
        return name
    return shlex.quote(str(installed.relative_to(Path.cwd()) if installed.is_relative_to(Path.cwd()) else installed))
