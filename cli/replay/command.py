"""`robo-poet replay`: the whole loop on this machine in minutes, with a live view and a page at the end."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from rich.console import Console

FOLDER = Path(".replay")
LOCK, TEXTS = "replay.lock", "texts"
RECORD, PAGE = "record.json", "replay.html"
OWN = (  # made anew in each replay
    "registry", "trust", "runs", ".serve", "logs", "prometheus", "alertmanager", "deletions", TEXTS, RECORD, PAGE,
)  # fmt: skip


def replay(
    folder: Annotated[
        Path, typer.Option(help="Folder of the replay. What an earlier replay left in it is replaced.", callback=local_path)
    ] = FOLDER,
    set_: Annotated[list[str], typer.Option("--set", help="Change a setting of profiles/replay.yaml: key=value (repeatable).")] = [],  # noqa: B006  typer reads the default
) -> None:
    """Show the whole loop on this machine in 10 to 12 minutes, with small models.

    Four versions are trained, released and watched: a first one; a better one,
    which is promoted; one that passes its gates and fails its users, and is rolled
    back; then the users change, an alert fires, and a retrained version replaces
    the champion. Gateway, model server, canary controller, drift watcher,
    Prometheus and Alertmanager are real; the users are simulated.

    At the end, a page shows one time line and the evidence of each decision. Exit
    with 0 if each act happened as described, with 1 if not, with 130 if somebody
    stopped it. Needs Prometheus and Alertmanager (Debian: apt-get install
    prometheus prometheus-alertmanager).

    Example: `robo-poet replay --folder /tmp/replay`
    """
    import signal

    from rich.console import Console

    from cli.replay.journal import MARKS
    from cli.replay.page import replay_page
    from cli.replay.programs import check_installed
    from cli.replay.record import write_record
    from cli.replay.texts import BOTH
    from pipelines.profile.load import load_profile
    from robo_poet.atomic import write_text
    from robo_poet.folder_lock import locked_folder

    check_installed()
    place = folder.absolute()
    changed = [f"local.store={Path('.store').absolute()}", f"monitoring.retraining.corpus={place / TEXTS / BOTH}", *set_]
    load_profile("replay", changed)  # a wrong setting is reported before anything starts
    _check_own(place)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the programs end, and the page is written
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a log file
    with locked_folder(place, "wait for its end, or give another --folder", name=LOCK, program="replay"):
        place.chmod(0o700)  # the logs contain API keys, also if the folder existed before
        _clear(place)
        _trust_of_its_own(place / "trust")
        record = _play(place, ["--profile", "replay", *(word for setting in changed for word in ("--set", setting))], console)
        record["changed"] = list(set_)
        write_record(place / RECORD, record)
        write_text(place / PAGE, replay_page(record))
    for act in record["acts"]:
        typer.echo(f"{MARKS[act['status']]} {act['title']}")
    minutes = (record["ended"] - record["began"]) / 60
    typer.echo(f"{record['asked']:,} requests, {record['failed']:,} failed; {minutes:.1f} minutes")
    typer.echo(f"page: {folder / PAGE}\nlogs: {folder / 'logs'}")
    if record["error"]:
        print(f"{'stopped' if record['stopped'] else 'error'}: {record['error']}", file=sys.stderr)
        sys.exit(130 if record["stopped"] else 1)


def _play(place: Path, options: list[str], console: Console) -> dict[str, Any]:
    """Play the story, and return its record."""
    from cli.replay.journal import ActFailed, Journal
    from cli.replay.programs import Broken, Programs
    from cli.replay.record import collect
    from cli.replay.story import Scene, acts, play
    from cli.replay.texts import write_texts
    from cli.replay.view import View
    from robo_poet.errors import BadInput

    expected, error, stopped = (ActFailed, Broken, BadInput, OSError), "", False
    with Programs(place) as programs:
        console.print("writing the corpora …")
        scene = Scene(programs, write_texts(place / TEXTS), options)
        view = View(console, scene)
        journal = view.journal = Journal(acts(), scene.check, view.show_change)
        with view.watching():
            try:
                play(journal, scene)
            except KeyboardInterrupt:
                error, stopped = "somebody stopped the replay (Ctrl-C or SIGTERM)", True
            except Exception as problem:  # also an unexpected one: what was seen until then belongs on the page
                error = str(problem) if isinstance(problem, expected) else f"{type(problem).__name__}: {problem}"
        if error:
            journal.end_early("stopped" if stopped else "failed", error)
        record = collect(journal, scene, error)
        console.print("stopping the programs …")
    return record


def _trust_of_its_own(folder: Path) -> None:
    """Use keys and heads of this folder: the user's trust remembers the log of each registry, and each replay begins a new log."""
    from robo_poet.registry.trust.trust import FOLDER as TRUST
    from robo_poet.registry.trust.trust import SIGNING_KEY, TRUSTED_KEYS

    for name in (SIGNING_KEY, TRUSTED_KEYS):
        os.environ.pop(name, None)
    os.environ[TRUST] = str(folder)


def _check_own(folder: Path) -> None:
    """Raise BadInput if the folder has something else than a replay, so that no other folder is emptied."""
    from robo_poet.errors import BadInput

    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    strange = [name for name in names if name not in (*OWN, LOCK)] or ([] if LOCK in names else names)
    if strange:
        raise BadInput(f"not the folder of a replay: it has {strange[0]!r}", where=str(folder), remedy="give a new folder with --folder")


def _clear(folder: Path) -> None:
    """Remove what an earlier replay left."""
    for name in OWN:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
