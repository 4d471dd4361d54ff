"""`robo-poet replay`: the whole loop on this machine in minutes, with a live view and a page at the end."""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from robo_poet.local_folder import local_path

FOLDER = Path(".replay")
RECORD, PAGE = "record.json", "replay.html"
OWN = ("registry", "trust", "runs", ".serve", "logs", "prometheus", "alertmanager", "deletions", RECORD, PAGE)  # made anew in each replay


def replay(
    folder: Annotated[
        Path, typer.Option(help="Folder of the replay. What an earlier replay left in it is replaced.", callback=local_path)
    ] = FOLDER,
    set_: Annotated[list[str], typer.Option("--set", help="Change a setting of profiles/replay.yaml: key=value (repeatable).")] = [],  # noqa: B006  typer reads the default
) -> None:
    """Show the whole loop on this machine in about ten minutes, with small models.

    Four versions are trained, released and watched: a first one; a better one,
    which is promoted; one that passes its gates and fails its users, and is rolled
    back; then the users change, an alert fires, and a retrained version replaces
    the champion. Gateway, model server, canary controller, drift watcher,
    Prometheus and Alertmanager are real; the users are simulated.

    At the end, a page shows one time line and the evidence of each decision. Exit
    with 0 if all happened as told, with 1 if not. Needs Prometheus and
    Alertmanager (Debian: apt-get install prometheus prometheus-alertmanager).

    Example: `robo-poet replay --folder /tmp/replay`
    """
    from rich.console import Console

    from cli.replay.journal import Journal, NotAsTold
    from cli.replay.page import replay_page
    from cli.replay.programs import Broken, Programs, check_installed
    from cli.replay.record import collect, write_record
    from cli.replay.story import Scene, acts, play
    from cli.replay.texts import BOTH, write_texts
    from cli.replay.view import View
    from pipelines.profile.load import load_profile
    from robo_poet.atomic import write_text
    from robo_poet.registry.trust.trust import FOLDER as TRUST
    from robo_poet.registry.trust.trust import SIGNING_KEY, TRUSTED_KEYS

    check_installed()
    _clear(folder)
    place = folder.absolute()
    # Keys and heads of its own: the user's trust remembers the log of each registry, and each replay begins a new log in the same folder.
    for name in (SIGNING_KEY, TRUSTED_KEYS):
        os.environ.pop(name, None)
    os.environ[TRUST] = str(place / "trust")
    changed = [f"local.store={Path('.store').absolute()}", f"monitoring.retraining.corpus={place / 'texts' / BOTH}", *set_]
    load_profile("replay", changed)  # a wrong setting is reported before anything starts
    options = ["--profile", "replay", *(word for setting in changed for word in ("--set", setting))]
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a log file
    view, error = View(console), ""
    with Programs(place) as programs:
        texts = write_texts(place / "texts")
        scene = Scene(programs, texts, options)
        journal = Journal(acts(), scene.check, view.said)
        view.journal, view.scene = journal, scene
        try:
            with view.watching():
                try:
                    play(journal, scene)
                except (NotAsTold, Broken, RuntimeError) as problem:
                    error = str(problem)
                    journal.fail(error)
                except KeyboardInterrupt:
                    error = "interrupted"
                    journal.fail(error)
        finally:
            record = collect(journal, scene, error)
        console.print("stopping the programs …")
    write_record(place / RECORD, record)
    write_text(place / PAGE, replay_page(record))
    for act in journal.acts:
        typer.echo(f"{'✓' if act.status == 'done' else '✗' if act.status == 'failed' else '·'} {act.title}")
    minutes = (record["ended"] - record["began"]) / 60
    typer.echo(f"{record['asked']:,} requests answered, {record['failed']:,} failed; {minutes:.1f} minutes")
    typer.echo(f"page: {folder / PAGE}\nlogs: {folder / 'logs'}")
    if error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(130 if error == "interrupted" else 1)


def _clear(folder: Path) -> None:
    """Remove what an earlier replay left. Raises BadInput if the folder has something else, so that no other folder is emptied."""
    from robo_poet.errors import BadInput

    folder.mkdir(parents=True, exist_ok=True)
    strange = sorted(path.name for path in folder.iterdir() if path.name not in (*OWN, "texts"))
    if strange or ((folder / "registry").exists() and not (folder / "texts").exists()):
        raise BadInput(
            f"not the folder of a replay: it has {(strange or ['registry'])[0]!r}",
            where=str(folder),
            remedy="give a new folder with --folder",
        )
    for name in OWN:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
