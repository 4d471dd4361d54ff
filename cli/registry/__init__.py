"""`robo-poet registry …`: list, show, compare, verify and release model versions."""

import typer

from cli.registry import backup, judge, moves, show, trust

app = typer.Typer(
    help="List, verify and release model versions. Stages: candidate, canary, champion, archived, rejected.", no_args_is_help=True
)
app.command("list")(show.list_versions)
app.command("show")(show.show)
app.command("compare")(show.compare)
app.command("card")(show.card)
app.command("verify")(show.verify)
app.command("log")(show.log)
app.command("promote")(moves.promote)
app.command("archive")(moves.archive)
app.command("purge")(moves.purge)
app.command("start-canary")(moves.start_canary)
app.command("set-share")(moves.set_share)
app.command("override")(moves.override)
app.command("judge-again")(judge.judge_again)
app.command("adopt")(trust.adopt)
app.command("accept-head")(trust.accept_head)
app.command("key")(trust.key)
app.command("copy")(trust.copy)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
