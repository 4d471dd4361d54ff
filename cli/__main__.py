"""The command line's front door."""

import sys

import typer

from cli import compile, gc, generate, profile, registry, run, runs
from robo_poet.errors import BadInput

app = typer.Typer(
    name="robo-poet",
    help="From a corpus of text to a text-generation model in front of its readers, safely.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("generate")(generate.generate)
app.command("compile")(compile.compile)
app.command("gc")(gc.gc)
app.add_typer(runs.app, name="runs")
app.add_typer(registry.app, name="registry")
app.add_typer(profile.app, name="profile")


def main() -> None:
    """Run a command; what the caller can mend is one line and exit status 2."""
    try:
        app()
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
