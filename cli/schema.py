"""`robo-poet data schema`: the TFDV schema of a corpus as a file whose changes are reviewed (DATA-1)."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.profile import Profile, Set, absolute_source
from robo_poet.commands import command
from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from pipelines.corpus_schema import Proposal

app = typer.Typer(no_args_is_help=True, help="Show and change the TFDV schema that a corpus is checked against.")
DEFAULT_FILE = "schema.pbtxt"  # written if the profile names no file
Corpus = Annotated[str, typer.Argument(help="The corpus, as for `robo-poet run`. Default: the bundled corpora.")]
Run = Annotated[str, typer.Option("--run", metavar="RUN", help="Use the stored corpus of a run instead: its ID, or latest.")]
File = Annotated[
    Path | None, typer.Option("--file", help="The schema file. Default: validation.schema_file of the profile.", callback=local_path)
]
Infer = Annotated[bool, typer.Option("--infer", help="Infer a schema from the corpus alone, without the rules of the earlier one.")]


@app.callback()
def schema() -> None:
    """Show and change the TFDV schema that a corpus is checked against."""


@app.command("diff")
def diff_schema(
    corpus: Corpus = "",
    run: Run = "",
    file: File = None,
    infer: Infer = False,
    profile: Profile = "local",
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Show what a corpus violates in the schema, and the changes that would accept it. Nothing is written.

    Without a schema file, the curated schema of the validate step is the earlier one.

    Example: `robo-poet data schema diff ~/poems`
    """
    _show(_propose(corpus, run, file, profile, set_, infer=infer)[1])


@app.command("update")
def update_schema(
    corpus: Corpus = "",
    run: Run = "",
    file: File = None,
    infer: Infer = False,
    profile: Profile = "local",
    set_: Set = [],  # noqa: B006  typer reads the default
    yes: Annotated[bool, typer.Option("--yes", help="Write the file. Without this option, only show the changes.")] = False,
) -> None:
    """Change the schema file so that a corpus is valid, after showing each change in words.

    A new file starts from the curated schema of the validate step. Rules that the
    corpus does not violate stay. Review the changes, and keep the file under
    version control: a wider schema no longer finds what it found.

    Example: `robo-poet data schema update ~/poems --file poems.pbtxt --yes`
    """
    from robo_poet.atomic import write_text

    path, proposal = _propose(corpus, run, file, profile, set_, infer=infer)
    _show(proposal)
    if not proposal.changes and path.exists():
        return
    if not yes:
        typer.echo(f"{path} was not written yet; to write it, repeat the command with --yes")
        return
    write_text(path, proposal.schema)
    typer.echo(f"wrote {path}; to use it: {command(f'run --set validation.schema_file={path}')}")


def _propose(corpus: str, run: str, file: Path | None, profile: str, overrides: list[str], *, infer: bool) -> "tuple[Path, Proposal]":
    """Return the path of the schema file, and the proposal for it.

    Raises:
        BadInput: both a corpus and a run are given, or one of them, the profile or the file cannot be read.
    """
    from cli.forget import folders_of
    from cli.run_history import find_run
    from pipelines.corpus_schema import corpus_of_run, ingested, propose_schema, read_schema_file
    from pipelines.profile.load import load_profile
    from robo_poet.errors import BadInput

    if corpus and run:
        raise BadInput("CORPUS and --run are both given", where="data schema", remedy="give one of them")
    settings = load_profile(profile, overrides).profile
    path = file or Path(settings.validation.schema_file or DEFAULT_FILE)
    text = "" if infer or not path.exists() else read_schema_file(str(path))
    stored = nullcontext(corpus_of_run(folders_of(profile), find_run(Path(settings.local.runs), run))) if run else None
    with stored or ingested(settings, absolute_source(corpus)) as documents:
        return path, propose_schema(documents, text, infer=infer)


def _show(proposal: "Proposal") -> None:
    from robo_poet.display import terminal_text

    for anomaly in proposal.anomalies:
        typer.echo(f"anomaly: {terminal_text(anomaly)}")
    for change in proposal.changes:
        typer.echo(f"change: {terminal_text(change)}")
    if not proposal.changes:
        typer.echo("the corpus is valid; nothing would change")
