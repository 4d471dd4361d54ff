"""`robo-poet requests …`: show the request log, and remove the records of a user."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from robo_poet.request_log.deletion import Forgotten

app = typer.Typer(help="The request log, free of personal data: read it, or take a person's records out of it.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option("--folder", help="the request log: `requests` in the gateway's folder")]
Who = Annotated[str | None, typer.Option("--pseudonym", help="32 hexadecimal digits, as in the logs, in place of a name")]
Moment = Annotated[str | None, typer.Option(help="a day or a time, such as 2026-03-01 or 2026-03-01T18:30; UTC if it says no zone")]
HOME = Path(".serve/requests")
COLUMNS = ("time", "user", "version", "arm", "status", "tokens", "rating", "thumbs", "prompt", "completion")
SHOWN = 40  # characters of a text in a table


@app.command()
def show(
    folder: Folder = HOME,
    since: Moment = None,
    until: Moment = None,
    user: Annotated[str | None, typer.Option(help="a name as in keys and tokens; finds its pseudonym by the gateway's key")] = None,
    pseudonym: Who = None,
    last: Annotated[int, typer.Option(min=1, help="so many of the latest, in the table")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="all of them, a JSON object a line")] = False,
) -> None:
    """Show the latest requests with their ratings, oldest first."""
    from robo_poet.request_log.query import BEGINNING, END, read

    wanted_pseudonym = None if user is None and pseudonym is None else _pseudonym(folder, user, pseudonym)
    rows = read(folder, _moment("since", since) or BEGINNING, _moment("until", until) or END).to_pylist()
    matches = sorted((row for row in rows if wanted_pseudonym in (None, row["user"])), key=lambda row: row["time"])
    if as_json:
        for row in matches:
            typer.echo(
                json.dumps({**row, "time": row["time"].isoformat(), "parameters": dict(row["parameters"] or ())}, ensure_ascii=False)
            )
    elif matches:
        _table(matches[-last:])
        typer.echo(f"{min(last, len(matches))} of {len(matches)} requests; --json prints all of them, whole")
    else:
        typer.echo(f"{folder}: no such requests")


@app.command()
def forget(
    user: Annotated[str | None, typer.Argument(metavar="[USER]", help="the name as it is in the keys, or a token's `sub`")] = None,
    folder: Folder = HOME,
    pseudonym: Who = None,
) -> None:
    """Remove all records of a user from the log. It is safe to repeat."""
    from robo_poet.request_log.deletion import forget as forget_in

    user_pseudonym = _pseudonym(folder, user, pseudonym)
    _tell(user_pseudonym, forget_in(folder, user_pseudonym))


def _tell(pseudonym: str, removed: "Forgotten") -> None:
    typer.echo(f"removed of {pseudonym}: {_counted(removed.requests, 'request')} and {_counted(removed.feedback, 'rating')}")
    if removed.pending:
        typer.echo(
            f"{_counted(removed.pending, 'record')} more: a running gateway writes on that file just now, and closes it after a minute "
            "(request_log.part_seconds), or when it ends; repeat this command in two minutes"
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _pseudonym(folder: Path, user: str | None, pseudonym: str | None) -> str:
    """Return the pseudonym that the logs use for a user.

    Raises:
        BadInput: both or neither are given, the pseudonym is malformed, or the gateway's key is missing.
    """
    import re

    from robo_poet.errors import BadInput
    from robo_poet.request_log.layout import check_log
    from serving.telemetry.pseudonym import DIGITS, Pseudonyms, read_or_make_key

    if (user is None) == (pseudonym is None):
        raise BadInput("give a user's name, or --pseudonym", where="USER")
    if pseudonym is not None:
        if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", pseudonym):
            raise BadInput(f"a pseudonym has {DIGITS} digits of 0 to 9 and a to f", where="pseudonym")
        return pseudonym
    check_log(folder)
    key = folder.resolve().parent / "pseudonyms.key"
    if not key.is_file():  # a new key would give other pseudonyms, which match no record
        raise BadInput("the gateway's key is not there", where=str(key), remedy="it lies beside the log's folder; or give --pseudonym")
    return Pseudonyms(read_or_make_key(key)).user(str(user))


def _moment(name: str, text: str | None) -> datetime | None:
    from robo_poet.errors import BadInput

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("no day or time", where=f"--{name}", remedy="write it like 2026-03-01 or 2026-03-01T18:30") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*COLUMNS, box=SIMPLE_HEAD)
    for row in rows:
        rating = "" if row["rating"] is None else f"{row['rating']:g}"
        thumbs = " ".join(f"{row[name]} {word}" for name, word in (("thumbs_up", "up"), ("thumbs_down", "down")) if row[name])
        texts = [_short(row["prompt"]), _short(next(iter(row["completions"] or ()), None))]
        table.add_row(*map(Text, (
            f"{row['time']:%Y-%m-%d %H:%M:%S}", row["user"][:8], str(row["version"]), row["arm"], str(row["status"]),
            str(sum(row["tokens"] or ())), rating, thumbs, *texts,
        )))  # fmt: skip
    Console().print(table)


def _short(text: str | None) -> str:
    if text is None:
        return "(not kept)"
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
