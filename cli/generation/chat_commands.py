"""Slash commands of the chat, such as /undo and /save."""

from collections.abc import Callable
from pathlib import Path

from cli.generation.chat_session import Session
from cli.generation.loaded_version import introduction
from cli.generation.sampling_options import FIELDS, HELP, LARGEST_SEED, format_setting, parse_setting
from cli.generation.terminal import note, write
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry


def run_line(session: Session, line: str) -> None:
    """Run a typed line: a slash command, or text to continue.

    A line that starts with `//` is text that starts with one slash. Input of several lines (pasted) is always text.

    Raises:
        BadInput: the command is unknown or cannot be run. The session is unchanged.
    """
    if not line.startswith("/") or line.startswith("//") or "\n" in line:
        session.extend(line.removeprefix("/") if line.startswith("//") else line)
        return
    name, _, rest = line.strip().partition(" ")
    if name not in COMMANDS:
        raise BadInput(f"unknown command {name}", remedy="/help lists the commands; to begin a text with a slash, type //")
    command, argument, _ = COMMANDS[name]
    if rest.strip() and not argument:
        raise BadInput("this command takes no argument", where=name)
    command(session, rest.strip())


def _help(session: Session, rest: str) -> None:
    width = max(len(f"{name} {argument}") for name, (_, argument, _) in COMMANDS.items())
    for name, (_, argument, meaning) in COMMANDS.items():
        print(f"{f'{name} {argument}':{width}}  {meaning}")
    print("A \\ at the end of a line continues it in the next line. Ctrl-C stops an answer and keeps the text so far.")


def _set(session: Session, rest: str) -> None:
    if not rest:
        _settings(session, "")
        return
    field, value = parse_setting(rest)
    session.set(field, value)
    note(f"{next(name for name in FIELDS if FIELDS[name] == field)} is {format_setting(value)}")


def _settings(session: Session, rest: str) -> None:
    rows = [(name, format_setting(getattr(session.sampling, field)), HELP[name]) for name, field in FIELDS.items()]
    meaning = "Seed of the sampling: /seed 5 fixes it, /seed random draws one for each answer."
    rows.append(("seed", "random" if session.seed is None else str(session.seed), meaning))
    width = max(len(value) for _, value, _ in rows)
    for name, value, meaning in rows:
        print(f"{name:18}  {value:{width}}  {meaning}")


def _seed(session: Session, rest: str) -> None:
    if rest and rest != "random" and not (rest.isascii() and rest.isdigit() and int(rest) <= LARGEST_SEED):
        raise BadInput(f"{rest!r} is not a seed", remedy="give a whole number, or random")
    if rest:
        session.seed = None if rest == "random" else int(rest)
    note("each answer uses a new random seed" if session.seed is None else f"every answer uses seed {session.seed}")


def _version(session: Session, rest: str) -> None:
    if not rest:
        session.introduce()
        return
    if not (rest.isascii() and rest.isdigit()):
        raise BadInput(f"{rest!r} is not a version number", remedy="/versions lists the versions")
    session.switch(int(rest))


def _versions(session: Session, rest: str) -> None:
    for version in Registry(session.registry, session.loaded.version.model).versions():
        print(f"{'*' if version.number == session.loaded.version.number else ' '} {introduction(version)}")


def _regenerate(session: Session, rest: str) -> None:
    session.regenerate()


def _undo(session: Session, rest: str) -> None:
    session.conversation = session.conversation.undo()
    text = session.conversation.text
    note(f"the text now ends: …{text.rstrip().splitlines()[-1][-60:]}" if text.strip() else "the text is empty")


def _print_text(session: Session, rest: str) -> None:
    text = session.conversation.text
    if not text:
        note("there is no text yet")
        return
    for turn in session.conversation.turns:
        write(turn.typed, "bold")
        write(turn.generated)
    if not text.endswith("\n"):
        write("\n")


def _save(session: Session, rest: str) -> None:
    session.conversation.last_turn()  # raises BadInput if the text is empty
    if not rest:
        raise BadInput("the name of the file is missing", where="/save", remedy="for example: /save poem.txt")
    path, text = Path(rest).expanduser(), session.conversation.text
    if path.exists() and path.resolve() not in session.files:
        raise BadInput("the file exists", where=str(path), remedy="give another name")
    write_text(path, text if text.endswith("\n") else f"{text}\n")
    session.files.add(path.resolve())
    session.saved_text = text
    note(f"saved the text to {path}")


def _reset(session: Session, rest: str) -> None:
    session.conversation = session.conversation.reset()
    note("the text is empty; /undo restores it")


def _quit(session: Session, rest: str) -> None:
    session.ended = True


Command = tuple[Callable[[Session, str], None], str, str]
COMMANDS: dict[str, Command] = {
    "/help": (_help, "", "list the commands"),
    "/again": (_regenerate, "", "replace the last answer with a new one"),
    "/undo": (_undo, "", "undo the last change of the text"),
    "/text": (_print_text, "", "print the full text"),
    "/history": (_print_text, "", "same as /text"),
    "/save": (_save, "FILE", "write the text to a file"),
    "/reset": (_reset, "", "start a new, empty text"),
    "/set": (_set, "NAME VALUE", 'change a setting: /set temperature 0.6 or /set stop . "\\n"'),
    "/settings": (_settings, "", "list all settings with value and meaning"),
    "/seed": (_seed, "N", "use this seed for every answer; random: a new seed for each answer"),
    "/version": (_version, "N", "continue with another version; 0 is the champion; without N: show the version"),
    "/versions": (_versions, "", "list the versions of the registry; * marks the current one"),
    "/quit": (_quit, "", "end the chat"),
}
