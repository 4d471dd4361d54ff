"""Register the model as a version: as a candidate, or as rejected with the reason from the gates."""

import sys
from collections.abc import Sequence

from components.register_model.component import register_model
from robo_poet.digest import digest_json, digest_path
from robo_poet.errors import BadInput, parse_object, read_object
from robo_poet.registry.log.entry import Action
from robo_poet.registry.names import BUNDLED_SOURCE
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import ENTRANCES
from robo_poet.registry.versions.decisions import plain, stage_for
from robo_poet.step.program import Call, program

FILES = {  # name in the version → input artifact
    "model": "model",
    "tokenizer": "tokenizer",
    "evaluation.json": "evaluation",
    "decision.json": "decision",
    "statistics.json": "statistics",
    "report.html": "report",
    "card.json": "card",
}


def work(call: Call) -> None:
    """Register the version, and set the results `version`, `stage` and `version_digest`."""
    decision = read_object(call.inputs["decision"])
    metrics = decision.pop("metrics", None)
    if not isinstance(metrics, dict):
        raise BadInput("the decision has no metrics", where=str(call.inputs["decision"]), remedy="run the evaluation again")
    digests = {name: call.digests[name] or digest_path(path) for name, path in call.inputs.items()}
    digests |= {name: call.parameters[f"{name}_digest"] for name in ("corpus", "scrubbed")}
    lineage = plain(parse_object(call.parameters["lineage"], where="--lineage"))
    stage, why = stage_for(decision)
    registry = Registry(call.parameters["registry"], call.parameters["model_name"])
    same_model = bool(call.parameters["same_model"])
    registry.add_source(
        call.parameters["source"] or BUNDLED_SOURCE, same_model=same_model, who=call.parameters["who"],
        why="confirmed with --same-model" if same_model and registry.sources() else "the first corpus of the model",
    )  # fmt: skip
    # Only new served files make a new version. The same files under other gates get a further decision. Earlier releases added the stage.
    served = [registry.model, digests["model"], digests["tokenizer"]]
    before = registry.log()
    version = registry.register(
        {name: call.inputs[artifact] for name, artifact in FILES.items()},
        metrics=metrics,
        lineage={**lineage, "inputs": digests},
        decision=plain(decision),
        stage=stage,
        who=call.parameters["who"],
        why=why,
        identity=digest_json(served),
        former_identities=[digest_json([*served, former]) for former in (stage, *ENTRANCES)],
        profile=str(lineage.get("profile") or ""),
    )
    call.result("version", version.number)
    call.result("stage", str(version.stage))
    call.result("version_digest", version.digest)
    call.progress(1, 1, f"{_action(registry, len(before), version.number)} {version.name} ({version.stage}: {version.why})")


def _action(registry: Registry, before: int, number: int) -> str:
    """Return what the step did to a version, from the log entries after the first `before`."""
    done = {entry.statement.action for entry in registry.log()[before:] if entry.statement.version == number}
    return "registered as" if Action.REGISTER in done else "judged again as" if Action.JUDGE_AGAIN in done else "already registered as"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(register_model, work, argv)


if __name__ == "__main__":
    sys.exit(main())
