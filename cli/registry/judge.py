"""`robo-poet registry judge-again`: judges a registered version by other gates, with the measurements that it was registered with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.profile import Set
from cli.registry.moves import refuse_planted
from cli.registry.opening import HOME, AsJson, Folder, ModelName, Number, Why, open_version, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robo_poet.judges.gate import Gate
    from robo_poet.registry.registry import Registry

Gates = Annotated[str, typer.Option("--profile", "-p", help="Profile whose gates judge the version.")]


def judge_again(
    number: Number,
    profile: Gates,
    why: Why,
    registry: Folder = HOME,
    model: ModelName = "",
    set_: Set = [],  # noqa: B006  typer reads the default
    as_json: AsJson = False,
) -> None:
    """Judge a version by the gates of a profile, with its stored measurements.

    The decision becomes an entry of the log. A version that gates rejected can
    become a candidate; a candidate or the canary can be rejected. A champion,
    an overridden version, and one that its users or a person rejected keep
    their stage, and `registry show` says that the decision differs.

    Nothing is measured again. Gates against the champion need the comparison
    with the present one: if it is another by now, run the pipeline.

    Example: `robo-poet registry judge-again 1 --profile local --why "stricter gates"`
    """
    from pipelines.profile.load import load_profile
    from robo_poet.errors import parse_object
    from robo_poet.evaluation.gate_evidence import card_evidence, gate_input
    from robo_poet.judges.decision import judge_gates
    from robo_poet.process import user_name
    from robo_poet.registry.state.record import ACCEPTED, REJECTED
    from robo_poet.registry.state.state import Stage
    from robo_poet.registry.versions.decisions import plain, stage_for

    gates = load_profile(profile, set_).profile.gates
    store, version_number = open_version(registry, model, number)
    version = store.verify(version_number)[0]
    refuse_planted(version)
    card, first = (parse_object(version.read(name).decode(), where=version.name) for name in ("card.json", "decision.json"))
    metrics, artifacts = card_evidence(card, first, version.name)
    _check_champion(store, version_number, artifacts["comparison"], gates)
    judged = judge_gates(gate_input(metrics, artifacts, dict.fromkeys(artifacts, version.name)), gates)
    decision = plain(judged.to_json() | metrics.to_json())
    values = decision.pop("metrics")
    stage, reason = stage_for(decision)
    if _without_remedies(decision) == _without_remedies(store.decision(version_number)):
        typer.echo(f"{version.name} is {version.stage}; the latest decision is the same: {reason}", err=as_json)
    else:
        version = store.judge_again(
            version_number, decision, values, verdict=ACCEPTED if stage is Stage.CANDIDATE else REJECTED,
            who=user_name(), why=f"{reason} ({why})" if why.strip() else "", profile=profile,
        )  # fmt: skip
        typer.echo(f"{version.name} is {version.stage}; {judged.verdict} by the gates of {profile}: {reason}", err=as_json)
        for note in store.state().record(version_number).notes():
            typer.echo(note, err=as_json)
    if as_json:
        print_json({"version": version.name, "stage": str(version.stage), "decision": decision})


def _check_champion(store: Registry, number: int, comparison: Mapping[str, Any], gates: Sequence[Gate]) -> None:
    """Check that a version was compared with the present champion, if a gate needs it. A champion was compared with the one before it.

    Raises:
        BadInput: it was compared with another version, or with none.
    """
    from robo_poet.commands import command
    from robo_poet.errors import BadInput

    champion = store.champion()
    if champion is None or champion.number == number or not any(gate.against for gate in gates):
        return
    compared = comparison.get("champion") or {}
    if compared.get("digest") != champion.digest:
        with_what = f"with {store.model}/{compared.get('version')}" if compared else "with no champion"
        raise BadInput(
            f"it was compared {with_what}, and the champion is {champion.name}", where=f"{store.model}/{number}",
            remedy=f"judge it in a run, which takes the other results from the cache: {command('run')}",
        )  # fmt: skip


def _without_remedies(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict and the gates without remedies, which a run takes from its settings."""
    gates = [{key: value for key, value in gate.items() if key != "remedy"} for gate in decision.get("gates") or ()]
    return {"verdict": decision.get("verdict"), "gates": gates}
