"""Commands of `robo-poet registry` that change nothing: list, show, compare, card, verify, log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.columns import Column, print_fitting
from cli.comparison import Html, show_comparison
from cli.registry.opening import (
    HOME,
    AnyModel,
    AsJson,
    Folder,
    ModelName,
    Number,
    measured_versions,
    open_all,
    open_registry,
    open_version,
    print_empty,
    print_json,
    read_measured,
    registration_times,
)
from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robo_poet.registry.log.entry import Statement
    from robo_poet.registry.state.state import State
    from robo_poet.registry.versions.version import Manifest, Version
    from robo_poet.report.measured import Measured

COLUMNS = (
    Column("version"),
    Column("stage"),
    Column("date", drop=2),
    Column("corpus", most=18, drop=3),
    Column("perplexity", right=True, drop=1),
    Column("bits/byte", right=True),
    Column("why", most=60),
)


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))  # Text, because a reason may contain square brackets, which rich reads as markup
    Console().print(table)


def _exposure(state: State, number: int) -> dict[str, Any]:
    """Return the share of users of a version as JSON: the canary's ramp, or the watch after a promotion. Empty for other versions."""
    if number == state.canary:
        held = {"held": state.canary_held} if state.canary_held else {}
        return {"share": state.canary_share, "step": state.canary_step, "since_entry": state.canary_since, **held}
    if state.watch and number == state.watch.former:
        return {"share": state.watch.share, "since_entry": state.watch.since}
    return {}


def _exposure_text(state: State, number: int) -> str:
    """Return the share of users of a version as text; empty for versions other than the canary and a watched former champion."""
    shown = _exposure(state, number)
    if not shown:
        return ""
    users = f"{100 * shown['share']:.3g} %"
    if "step" not in shown:
        return f"{users} of the users, while the champion is watched"
    step = "before the first step" if shown["step"] < 0 else f"step {shown['step'] + 1}"
    return f"{users} of the users, {step}" + (f", held: {shown['held']}" if "held" in shown else "")


def _action_text(statement: Statement) -> str:
    """Return the action of a statement with the share that it sets, such as `set_share 25 %`."""
    if verdict := statement.details.get("verdict"):
        return f"{statement.action}: {verdict}"
    for name in ("share", "watch_share"):
        if share := statement.details.get(name):
            return f"{statement.action} {100 * share:.3g} %" if name == "share" else f"{statement.action}, watch {100 * share:.3g} %"
    return str(statement.action)


def _stage(version: Version, state: State) -> str:
    shown, record = _exposure(state, version.number), state.record(version.number)
    notes = [f"{100 * shown['share']:.3g} %"] if shown else []
    notes += ["overridden"] if record.overridden else []
    notes += ["contested"] if record.contested else []
    return ", ".join([str(version.stage), *notes, *(["purged"] if version.purged else [])])


def _summary(version: Version, state: State) -> dict[str, Any]:
    record = state.record(version.number)
    return {
        "model": version.model, "version": version.number, "stage": str(version.stage), "purged": version.purged, "why": version.why,
        "digest": version.digest, "exposure": _exposure(state, version.number),
        "latest_verdict": record.verdict, "latest_verdict_why": record.verdict_why, "decision_count": record.decisions,
        "overridden": record.overridden, "contested": record.contested,
    }  # fmt: skip


def _listed(measured: Measured | None) -> dict[str, Any]:
    if measured is None:
        return {}
    names = ("date", "corpus", "profile", "changed", "verdict", "open_questions")
    return {name: getattr(measured, name) for name in names} | {
        name: measured.metrics.get(name) for name in ("perplexity", "bits_per_byte")
    }


def list_versions(registry: Folder = HOME, model: AnyModel = "", as_json: AsJson = False) -> None:
    """List the versions of all models: stage, date of registration, corpus, perplexity, bits per byte and the reason of the stage.

    A stage is `contested` if the latest decision of the gates rejects the
    version, but a person or its users have decided about it. A table that does
    not fit the terminal has fewer columns and shorter reasons.
    """
    from robo_poet.report.measured import Measured

    stores = open_all(registry, model)
    states = {store.model: store.state() for store in stores}
    versions = list(measured_versions(stores))
    if as_json:
        print_json([_summary(version, states[version.model]) | _listed(measured) for version, measured, _ in versions])
        return
    if not versions:
        print_empty(registry)
        return
    rows = []
    for version, measured, _ in versions:
        shown = measured or Measured(version.name)
        figures = (shown.metric_text("perplexity"), shown.metric_text("bits_per_byte"))
        rows.append([version.name, _stage(version, states[version.model]), shown.date[:10], shown.corpus, *figures, version.why])
    print_fitting(COLUMNS, rows)
    for version, _, fault in versions:
        if fault:
            print(f"warning: {version.name}: {fault}", file=sys.stderr)


def show(number: Number, registry: Folder = HOME, model: ModelName = "", as_json: AsJson = False) -> None:
    """Show a version: metrics, gates, lineage (what it was made from), files and history. `--json` has everything."""
    from dataclasses import asdict

    store, version_number = open_version(registry, model, number)
    version, state = store.version(version_number), store.state()
    statements = [entry.statement for entry in store.log() if entry.statement.version == version_number]
    history = [asdict(statement) for statement in statements]
    decisions = store.decisions(version_number)
    manifest = None if version.purged else version.manifest()
    if as_json:
        contents = {} if manifest is None else asdict(manifest)
        listed = {
            "decisions": [decision.to_json() for decision in decisions],
            "latest_decision": None if manifest is None else store.decision(version_number),
        }
        print_json({**_summary(version, state), "folder": version.address, **contents, **listed, "history": history})
        return
    measured = read_measured(store, version, registration_times(store)[version_number])
    typer.echo(f"{version.name} is {_stage(version, state)} ({version.why})")
    if text := _exposure_text(state, version_number):
        typer.echo(f"serves {text}")
    if len(decisions) > 1:
        typer.echo(f"latest of {len(decisions)} decisions: {decisions[-1].text}")
    for note in state.record(version_number).notes():
        typer.echo(note)
    verdict = f", verdict {measured.judgement}" if measured.verdict and len(decisions) == 1 else ""
    typer.echo(f"registered {measured.date[:16].replace('T', ' ')} UTC{verdict}")
    typer.echo(f"digest {version.digest}")
    if manifest is not None:
        typer.echo(f"folder {version.address}")
        _print_contents(manifest, measured)
    _print_table(
        ["time (UTC)", "action", "who", "why"],
        [[statement.time[:19], _action_text(statement), statement.who, statement.why] for statement in statements],
    )


def _print_contents(manifest: Manifest, measured: Measured) -> None:
    from robo_poet.judges.metrics import interval_text, metric_name, metric_text, no_interval_text, ordered
    from robo_poet.report.gate_rows import HEAD, QUESTION_HEAD, gate_row, question_rows
    from robo_poet.report.lineage_rows import SHOWN_DIGITS, lineage_rows

    metrics = [
        [
            metric_name(name), metric_text(name, value),
            interval_text(name, measured.intervals.get(name)) or no_interval_text(measured.shortages.get(name)),
        ]
        for name, value in ordered(measured.metrics)
    ]  # fmt: skip
    _print_table(["metric", "value", "95 % interval"], metrics)
    if measured.gates:
        _print_table(list(HEAD), [list(gate_row(gate).cells) for gate in measured.gates])
    if questions := question_rows(measured.gates):
        _print_table(list(QUESTION_HEAD), [list(row) for row in questions])
    _print_table(["made from", ""], [list(row) for row in lineage_rows(manifest.lineage)])
    _print_table(["file", "SHA-256"], [[name, digest[:SHOWN_DIGITS]] for name, digest in manifest.files.items()])


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="Number of a version, or MODEL/N.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Number of a version, or MODEL/N for a version of another model.")],
    registry: Folder = HOME,
    model: Annotated[str, typer.Option("--model", "-m", help="Model of a number without a name. Default: the only model.")] = "",
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions: settings, data, metrics with intervals, gates and samples, side by side.

    The values come from the manifests and model cards. A difference is shown
    only if both values have the same unit. If the versions were measured on
    different texts, the comparison says so.

    Example: `robo-poet registry compare shakespeare/2 poems/3 --html compare.html`
    """
    from robo_poet.report.comparison import compare as compare_measured

    sides = []
    for text in (a, b):
        store, number = open_version(registry, model if "/" not in text else "", text)
        version = store.verify(number)[0]
        sides.append(read_measured(store, version, registration_times(store)[number]))
    show_comparison(compare_measured(*sides), html, as_json=as_json)


def verify(
    number: Annotated[str | None, typer.Argument(metavar="N", help="Number of a version, or MODEL/N. Default: all versions.")] = None,
    registry: Folder = HOME,
    model: AnyModel = "",
    as_json: AsJson = False,
) -> None:
    """Check signatures, hash chain and every file of the versions. Stop at the first difference, with exit status 2.

    Every log entry and every version has to be signed by a trusted key. The
    log has to contain the newest entry that you have read before.
    """
    from robo_poet.errors import BadInput

    if number is None:
        stores = open_all(registry, model)
        checked = [version for store in stores for version in store.verify(None)]
    else:
        store, version_number = open_version(registry, model, number)
        stores, checked = [store], store.verify(version_number)
    for store in stores if number is None else ():
        if strays := store.unregistered_folders():
            raise BadInput(
                f"{len(strays)} version folder{'s' * (len(strays) > 1)} without an entry in the log, such as {strays[0]}",
                where=f"{store.address}/versions",
                remedy="if a registration was killed, run the pipeline again; if the end of the log is lost, restore the log",
            )
    keys = list(dict.fromkeys(key for store in stores for key in store.signed_log.signers(store.log())))
    if as_json:
        print_json({"verified": [{"model": version.model, "version": version.number} for version in checked], "signed_by": keys})
    elif checked:
        by = f"signed by {len(keys)} trusted key{'s' * (len(keys) != 1)}: {', '.join(key[:12] for key in keys)}"
        typer.echo(f"{registry}: the log and {len(checked)} version{'s' * (len(checked) > 1)} match what was registered, {by}")
    else:
        print_empty(registry)


def log(registry: Folder = HOME, model: ModelName = "", as_json: AsJson = False) -> None:
    """Print all changes of the registry: when, by whom and why."""
    from dataclasses import asdict

    entries = open_registry(registry, model).log()
    if as_json:
        print_json([{"index": entry.index, **asdict(entry.statement)} for entry in entries])
    elif entries:
        indexed = [(str(entry.index), entry.statement) for entry in entries]
        rows = [
            [index, statement.time[:19], _action_text(statement), str(statement.version), statement.who, statement.why]
            for index, statement in indexed
        ]
        _print_table(["entry", "time (UTC)", "action", "version", "who", "why"], rows)
    else:
        print_empty(registry)


def card(
    number: Number,
    registry: Folder = HOME,
    model: ModelName = "",
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write. Default: build/MODEL-N.html.", callback=local_path)] = None,
    as_json: AsJson = False,
) -> None:
    """Write the model card of a version as HTML, with its current stage, all overrides and all later decisions of the gates."""
    from robo_poet.report.registered_card import card_with_history, write_card_with_history

    store, version_number = open_version(registry, model, number)
    version = store.verify(version_number)[0]
    overrides, decisions = store.overrides(version_number), store.decisions(version_number)
    if as_json:
        print_json(card_with_history(version.folder, str(version.stage), overrides, decisions))
        return
    target = out or Path("build") / f"{version.model}-{version_number}.html"
    registered = store.registered_on(version_number)
    write_card_with_history(version.folder, version.number, str(version.stage), overrides, decisions, target, registered=registered)
    typer.echo(f"model card of {version.name} ({version.stage}): {target}")
