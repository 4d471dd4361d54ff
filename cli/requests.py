"""`robo-poet requests …`: show the request log, take numbers or texts of its prompts, and remove the records of a user."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.profile import Model, Profile, Set
from robo_poet.commands import command
from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from robo_poet.request_log.deletion import RemovedRecords
    from serving.telemetry.pseudonym import Pseudonyms

app = typer.Typer(
    help="Show the request log of the gateway, or remove the records of a user. The log contains no personal data.", no_args_is_help=True
)
Folder = Annotated[
    Path, typer.Option("--folder", help="Folder of the request log: `requests` in the gateway's folder.", callback=local_path)
]
Pseudonym = Annotated[str | None, typer.Option(help="Pseudonym of a user, as in the logs (32 hexadecimal digits), instead of the name.")]
EndUser = Annotated[str, typer.Option(help="Id of an end user that the application USER named in the header X-End-User.")]
Since = Annotated[str | None, typer.Option(help="Only requests from this day or time on, such as 2026-03-01 or 2026-03-01T18:30 (UTC).")]
Until = Annotated[str | None, typer.Option(help="Only requests before this day or time (UTC).")]
HOME = Path(".serve/requests")
COLUMNS = ("time (UTC)", "user", "ver.", "status", "rated", "prompt", "completion")
SHOWN = 40  # characters of a text in a table
FIXED = 56  # columns of a terminal that the table needs without the texts


@app.command()
def show(
    folder: Folder = HOME,
    since: Since = None,
    until: Until = None,
    user: Annotated[
        str | None, typer.Option(help="Only requests of this user: the name in the API key, or the `sub` of the token.")
    ] = None,
    pseudonym: Pseudonym = None,
    end_user: EndUser = "",
    last: Annotated[int, typer.Option(min=1, help="Number of latest requests in the table.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print all matching requests with all fields, one JSON object per line.")] = False,
) -> None:
    """Show the latest requests with their ratings, oldest first.

    The table shortens prompts and completions to the width of the terminal, at
    most 40 characters. A version with "c" is the canary. "(not kept)" means that
    there was no time to remove personal data from the text, so it was not written.

    Example: `robo-poet requests show --since 2026-03-01 --user ann`
    """
    from robo_poet.request_log.query import BEGINNING, END, read

    wanted_pseudonym = None if user is None and pseudonym is None else _pseudonym(folder, user, pseudonym, end_user)
    rows = read(folder, _moment("since", since) or BEGINNING, _moment("until", until) or END).to_pylist()
    matches = sorted((row for row in rows if wanted_pseudonym in (None, row["user"])), key=lambda row: row["time"])
    if as_json:
        for row in matches:
            typer.echo(
                json.dumps({**row, "time": row["time"].isoformat(), "parameters": dict(row["parameters"] or ())}, ensure_ascii=False)
            )
    elif matches:
        _table(matches[-last:])
        typer.echo(f"{min(last, len(matches))} of {len(matches)} requests; --json prints all requests with their full texts")
    else:
        typer.echo(f"{folder}: no matching requests")


@app.command()
def snapshot(
    folder: Folder = HOME,
    model: Model = "",
    profile: Profile = "local",
    set_: Set = [],  # noqa: B006  typer reads the default
    since: Since = None,
    until: Until = None,
    users: Annotated[int, typer.Option(min=5, help="Users that are needed. With fewer, nothing is written.")] = 10,
) -> None:
    """Write the distributions of the prompts, to compare a training corpus with them.

    The file has numbers only: no text and no user. It is in the folder of the model
    in the registry, and named by its digest. Of one user, at most 20 different
    prompts count.

    Example: `robo-poet requests snapshot --since 2026-03-01`
    """
    from pipelines.profile.load import load_profile
    from robo_poet.corpus.curation.quality import language_of
    from robo_poet.features.prompt_snapshot import write_snapshot
    from robo_poet.registry.names import only_model
    from robo_poet.request_log.query import BEGINNING, END
    from robo_poet.request_log.snapshot import REASONS, take_snapshot

    registry = Path(load_profile(profile, set_).profile.local.registry)
    period = {"since": _moment("since", since) or BEGINNING, "until": _moment("until", until) or END}
    taken = take_snapshot(folder, only_model(registry, model), language_of, least_users=users, **period)
    path = write_snapshot(registry, taken)
    counted = f"{_counted(taken.prompts.documents, 'prompt')} of {taken.users} users, {taken.first_day} to {taken.last_day}"
    typer.echo(f"{counted}; numbers only, no texts")
    for reason, number in taken.left_out.items():
        typer.echo(f"left out: {_counted(number, 'request')} that {REASONS[reason]}")
    typer.echo(f"wrote {path}; to use it: {command(f'run --set validation.prompt_snapshot={taken.digest[:12]}')}")


@app.command()
def corpus(
    output: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="File to write. An existing file is replaced.", callback=local_path)],
    model: Annotated[str, typer.Option("--model", "-m", help="Only prompts to this model.")],
    since: Annotated[str, typer.Option(help="Only requests from this day or time on, such as 2026-03-01 or 2026-03-01T18:30 (UTC).")],
    until: Until = None,
    folder: Folder = HOME,
) -> None:
    """Write the prompts whose users consent to training, as a corpus.

    A prompt is written only if the API key or token consented when it was sent
    (`robo-poet keys create --consent`), and the consent was not withdrawn. The
    file has one document for each user and day, without the user. It has no
    completions, and the request log has removed personal data from all texts.

    Example: `robo-poet requests corpus live.jsonl --model poems --since 2026-03-01`
    """
    from robo_poet.errors import BadInput
    from robo_poet.request_log.live_text import describe_left_out, read_live_text
    from robo_poet.request_log.query import BEGINNING, END

    if output.suffix != ".jsonl":
        raise BadInput("the corpus is JSON Lines", where=str(output), remedy="give a file that ends in .jsonl")
    live = read_live_text(folder, model, consenting_keys(folder), _moment("since", since) or BEGINNING, _moment("until", until) or END)
    left_out = [f"left out: {line}" for line in describe_left_out(live)]
    if not live.number:
        found = f"no prompt to {model} in this period may become training text ({_counted(live.requests, 'request')})"
        raise BadInput(
            "; ".join([found, *left_out]), where=str(folder), remedy=f"ask users: {command('keys create --user NAME --consent user')}"
        )
    try:
        live.write(output)
    except OSError as error:
        raise BadInput((error.strerror or "cannot be written").lower(), where=str(output), remedy="give another file") from None
    consented = live.requests - live.left_out.get("no_consent", 0)
    typer.echo(f"{_counted(live.requests, 'request')} to {model}, {consented} with consent")
    typer.echo(f"used: {_counted(live.used, 'prompt')} of {_counted(live.users, 'user')}; no completions")
    for line in left_out:
        typer.echo(line)
    typer.echo(f"wrote {output}: {_counted(live.number, 'document')}, SHA-256 {live.digest[:16]}; to see it: {_describe(output)}")


def consenting_keys(log: Path) -> set[str]:
    """Return the pseudonyms of the API keys whose consent holds now: not withdrawn, and the key not revoked.

    Args:
        log: folder of the request log. The folder `keys` is beside it.

    Raises:
        BadInput: the request log does not exist, the key for pseudonyms is missing, or a file of keys is damaged.
    """
    from robo_poet.request_log.layout import check_log
    from serving.access.api_keys import KeyStore
    from serving.access.caller import Consent

    check_log(log)
    pseudonyms, keys = _pseudonyms(log), log.resolve().parent / "keys"
    if not keys.is_dir():
        return set()
    stored = KeyStore(keys).read_all()
    # A revoked key may have been in the wrong hands, so its prompts may not be those of its user
    return {pseudonyms.api_key(key.id) for key in stored if key.consent is not Consent.NO and key.revoked is None}


def _describe(output: Path) -> str:
    import shlex

    return command(f"data describe {shlex.quote(str(output))}")


@app.command()
def forget(
    user: Annotated[str | None, typer.Argument(metavar="USER", help="Name of the user in the API key, or `sub` of the token.")] = None,
    folder: Folder = HOME,
    pseudonym: Pseudonym = None,
    end_user: EndUser = "",
) -> None:
    """Remove all records of a user: requests and ratings in the log, and outcomes for the judge of a canary. It is safe to repeat.

    Example: `robo-poet requests forget ann`
    """
    from robo_poet.outcomes.files import forget as forget_outcomes
    from robo_poet.outcomes.files import outcomes_of
    from robo_poet.request_log.deletion import RemovedRecords
    from robo_poet.request_log.deletion import forget as forget_in

    user_pseudonym = _pseudonym(folder, user, pseudonym, end_user)
    outcomes = outcomes_of(folder)  # written also if there is no request log
    removed = forget_in(folder, user_pseudonym) if folder.is_dir() or not outcomes.is_dir() else RemovedRecords(0, 0, 0)
    _print_removed(user_pseudonym, removed, forget_outcomes(outcomes, user_pseudonym))
    print_removed_live_text(folder.resolve().parent)


def print_removed_live_text(serve: Path) -> None:
    """Remove the live text that retrainings made from the request log, because a document names no user. Print it if there was any.

    Args:
        serve: the gateway's folder.
    """
    from monitoring.retraining.live_text import remove_live_text

    if removed := remove_live_text(serve / "retraining"):
        typer.echo(f"removed {_counted(removed, 'file')} of live text; the next retraining makes a new one")


def _print_removed(pseudonym: str, removed: "RemovedRecords", outcomes: int) -> None:
    if not (removed.requests or removed.feedback or removed.pending or outcomes):
        typer.echo(f"{pseudonym} has no records; nothing was removed. Users are named as in their API keys: {command('keys list')}")
        return
    typer.echo(f"removed for {pseudonym}: {_counted(removed.requests, 'request')} and {_counted(removed.feedback, 'rating')}")
    if outcomes:
        typer.echo(f"blanked {_counted(outcomes, 'line')} of the outcomes")
    if removed.pending:
        typer.echo(
            f"{_counted(removed.pending, 'file')} not changed yet, because a running gateway still writes to it; the gateway closes it "
            "after a minute (serve.request_log.part_seconds) or when it stops: repeat this command in two minutes"
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _pseudonym(folder: Path, user: str | None, pseudonym: str | None, end_user: str = "") -> str:
    """Return the pseudonym that the logs use for a user.

    Raises:
        BadInput: both or neither are given, the pseudonym is malformed, the gateway's key is missing, or an end user has no application.
    """
    import re

    from robo_poet.errors import BadInput
    from robo_poet.outcomes.files import outcomes_of
    from robo_poet.request_log.layout import check_log
    from serving.telemetry.pseudonym import DIGITS, reader_of

    if (user is None) == (pseudonym is None):
        raise BadInput("give either the name of a user or --pseudonym", where="USER")
    if pseudonym is not None:
        if end_user:
            raise BadInput("an end user belongs to an application; name its user instead of --pseudonym", where="--end-user")
        if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", pseudonym):
            raise BadInput(f"a pseudonym has {DIGITS} hexadecimal digits (0 to 9, a to f)", where="--pseudonym")
        return pseudonym
    if not outcomes_of(folder).is_dir():
        check_log(folder)
    return _pseudonyms(folder, ", or give --pseudonym instead of a name").user(reader_of(str(user), end_user))


def _pseudonyms(folder: Path, otherwise: str = "") -> "Pseudonyms":
    """Return the pseudonyms of a request log.

    Raises:
        BadInput: the gateway's key is missing. `otherwise` is what else a user can do.
    """
    from robo_poet.errors import BadInput
    from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key

    key = folder.resolve().parent / "pseudonyms.key"
    if not key.is_file():  # a new key would give other pseudonyms, which match no record
        raise BadInput("the gateway's key for pseudonyms is missing", where=str(key), remedy=f"restore it{otherwise}")
    return Pseudonyms(read_or_create_key(key))


def _moment(name: str, text: str | None) -> datetime | None:
    from robo_poet.errors import BadInput

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("not a date or time", where=f"--{name}", remedy="write it like 2026-03-01 or 2026-03-01T18:30") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    shown = max(10, min(SHOWN, (console.width - FIXED) // 2))
    table = Table(*COLUMNS, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    several = len({row["model"] for row in rows}) > 1
    for row in rows:
        rating = "" if row["rating"] is None else f"{row['rating']:g}"
        thumbs = [f"{row[name]} {word}" for name, word in (("thumbs_up", "up"), ("thumbs_down", "down")) if row[name]]
        texts = [_short(row["prompt"], shown), _short(next(iter(row["completions"] or ()), None), shown)]
        version = f"{row['model']}/" if several else ""
        version += f"{row['version']}{' c' if row['arm'] == 'canary' else ''}"
        table.add_row(*map(Text, (
            f"{row['time']:%Y-%m-%d %H:%M:%S}", row["user"][:8], version, str(row["status"]), " ".join(filter(None, [rating, *thumbs])),
            *texts,
        )))  # fmt: skip
    console.print(table)


def _short(text: str | None, most: int) -> str:
    if text is None:
        return "(not kept)"
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
