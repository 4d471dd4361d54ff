"""Slash commands of the chat, such as /undo and /save."""

from collections.abc import Callable
from pathlib import Path

from cli.generation.chat_session import Session
from cli.generation.loaded_version import introduction
from cli.generation.sampling_options import FIELDS, HELP, parse_setting, shown
from cli.generation.terminal import note, write
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry

LARGEST_SEED = 2**62


def take(session: Session, line: str) -> None:
    """Run a typed line: a slash command, or text to continue.

    A line that starts with `//` is text that starts with one slash. Input of several lines (pasted) is always text.

    Raises:
        BadInput: the command is unknown or cannot be run. The session is unchanged.
    """
    if not line.startswith("/") or line.startswith("//") or "\n" in line:
        session.say(line.removeprefix("/") if line.startswith("//") else line)
        return
    name, _, rest = line.strip().partition(" ")
    if name not in COMMANDS:
        raise BadInput(f"no command is called {name}", remedy="/help lists them; // begins a text with a slash")
    command, argument, _ = COMMANDS[name]
    if rest.strip() and not argument:
        raise BadInput("it takes nothing behind it", where=name)
    command(session, rest.strip())


def _help(session: Session, rest: str) -> None:
    width = max(len(f"{name} {argument}") for name, (_, argument, _) in COMMANDS.items())
    for name, (_, argument, meaning) in COMMANDS.items():
        print(f"{f'{name} {argument}':{width}}  {meaning}")
    print("A line goes on in the next if it ends in \\. Ctrl-C stops an answer and keeps what was written.")


def _set(session: Session, rest: str) -> None:
    if not rest:
        _settings(session, "")
        return
    field, value = parse_setting(rest)
    session.set(field, value)
    note(f"{next(name for name in FIELDS if FIELDS[name] == field)} is {shown(value)}")


def _settings(session: Session, rest: str) -> None:
    rows = [(name, shown(getattr(session.sampling, field)), HELP[name]) for name, field in FIELDS.items()]
    rows.append(("seed", "random" if session.seed is None else str(session.seed), "Of the draw: /seed 5 sets it, /seed random frees it."))
    width = max(len(value) for _, value, _ in rows)
    for name, value, meaning in rows:
        print(f"{name:18}  {value:{width}}  {meaning}")


def _seed(session: Session, rest: str) -> None:
    if rest and rest != "random" and not (rest.isascii() and rest.isdigit() and int(rest) <= LARGEST_SEED):
        raise BadInput(f"{rest!r} is no seed", remedy="give a whole number, or random")
    if rest:
        session.seed = None if rest == "random" else int(rest)
    note("each answer has a seed of its own" if session.seed is None else f"every answer is drawn with seed {session.seed}")


def _version(session: Session, rest: str) -> None:
    if not rest:
        session.introduce()
        return
    if not (rest.isascii() and rest.isdigit()):
        raise BadInput(f"{rest!r} is no version number", remedy="/versions lists them")
    session.switch(int(rest))


def _versions(session: Session, rest: str) -> None:
    for version in Registry(session.registry).versions():
        print(f"{'*' if version.number == session.opened.version.number else ' '} {introduction(version)}")


def _again(session: Session, rest: str) -> None:
    session.again()


def _undo(session: Session, rest: str) -> None:
    session.conversation = session.conversation.undo()
    text = session.conversation.text
    note(f"the text ends: …{text.rstrip().splitlines()[-1][-60:]}" if text.strip() else "the text is empty")


def _text(session: Session, rest: str) -> None:
    text = session.conversation.text
    if not text:
        note("nothing is written yet")
        return
    for turn in session.conversation.turns:
        write(turn.said, "bold")
        write(turn.written)
    if not text.endswith("\n"):
        write("\n")


def _save(session: Session, rest: str) -> None:
    session.conversation.last()  # raises BadInput if the text is empty
    if not rest:
        raise BadInput("no file is named", where="/save", remedy="such as /save poem.txt")
    path, text = Path(rest).expanduser(), session.conversation.text
    if path.exists() and path.resolve() not in session.files:
        raise BadInput("it is there already", where=str(path), remedy="give another name")
    write_text(path, text if text.endswith("\n") else f"{text}\n")
    session.files.add(path.resolve())
    session.kept = text
    note(f"{path} has the text")


def _reset(session: Session, rest: str) -> None:
    session.conversation = session.conversation.reset()
    note("the text is empty; /undo brings it back")


def _quit(session: Session, rest: str) -> None:
    session.left = True


Command = tuple[Callable[[Session, str], None], str, str]
COMMANDS: dict[str, Command] = {
    "/help": (_help, "", "this list"),
    "/again": (_again, "", "write the last answer anew, in its place"),
    "/undo": (_undo, "", "take the last change of the text back"),
    "/text": (_text, "", "all of the text; /history is the same"),
    "/history": (_text, "", "all of the text"),
    "/save": (_save, "FILE", "write the text to a file"),
    "/reset": (_reset, "", "begin an empty text"),
    "/set": (_set, "NAME VALUE", 'change a setting: /set temperature 0.6; texts: /set stop . "\\n"'),
    "/settings": (_settings, "", "all settings, and what they mean"),
    "/seed": (_seed, "N", "draw every answer with this seed; random: each with its own"),
    "/version": (_version, "N", "let another version go on with the text; 0 is the champion"),
    "/versions": (_versions, "", "what the registry holds"),
    "/quit": (_quit, "", "leave"),
}
