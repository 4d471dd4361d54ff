"""Entry point of the `robo-poet` command line: registers all commands and reports errors."""

import sys
from typing import Annotated

import typer

from cli import build, canary, cluster, data, drift, forget, profile, registry, requests, retrain, run_history, runs, serve
from cli.generation import chat, generate
from cli.replay.command import replay
from robo_poet.errors import BadInput
from robo_poet.permissions import limit_umask

app = typer.Typer(
    name="robo-poet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        typer.echo(f"robo-poet {version('robo-poet')}")
        raise typer.Exit


@app.callback()
def front(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)] = False,
) -> None:
    """Train, evaluate, gate, release and serve a text-generation model on your own text.

    First steps:

    \b
    robo-poet run                  train on the bundled plays and poems
    robo-poet generate "Shall I"   continue a prompt with the released model
    robo-poet serve                web page and API, http://127.0.0.1:8080

    `robo-poet COMMAND --help` describes a command.
    """
    limit_umask()


app.command("run")(runs.run)
app.command("generate")(generate.generate)
app.command("chat")(chat.chat)
app.command("serve")(serve.serve)
app.command("console")(canary.console)
app.command("replay")(replay)
app.command("compile")(build.compile)
app.command("images")(build.images)
app.command("gc")(runs.gc)
app.command("forget")(forget.forget)
app.add_typer(cluster.app, name="cluster")
app.add_typer(run_history.app, name="runs")
app.add_typer(registry.app, name="registry")
app.add_typer(canary.app, name="canary")
app.add_typer(drift.app, name="drift")
app.add_typer(retrain.app, name="retrain")
app.add_typer(serve.app, name="keys")
app.add_typer(requests.app, name="requests")
app.add_typer(profile.app, name="profile")
app.add_typer(data.app, name="data")


def main() -> None:
    """Run a command. An error that the user can fix prints one line, and the exit status is 2."""
    try:
        app()
    except BadInput as error:
        fault = str(error)
    except OSError as error:  # full disk, folder without write permission, file in place of a folder
        fault = f"{error.filename or 'this command'}: {(error.strerror or str(error)).lower()}"
    else:
        return
    print(f"error: {fault}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
