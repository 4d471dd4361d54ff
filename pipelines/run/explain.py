"""`robo-poet run --explain`: for each step, whether it would run and why. No step runs (PIPE-4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.run.execution.schedule import End, decide
from pipelines.run.ir.document import check_arguments, read_pipeline
from pipelines.run.ir.steps import Output, Step, outputs_in
from pipelines.run.ir.values import render
from pipelines.run.result import TaskResult
from pipelines.run.store.entry import Entry
from pipelines.run.store.store import Store, ingredients


@dataclass(frozen=True)
class Verdict:
    """The prediction for a step: `cached`, `would run`, `skipped`, or `open` if it depends on an output that does not exist yet."""

    task: str
    display: str
    verdict: str
    why: str = ""
    key: str = ""

    def __str__(self) -> str:
        return f"{self.verdict}: {self.why}" if self.why else self.verdict


def explain(ir: Path | Mapping[str, Any], parameters: Mapping[str, Any], *, store: Path) -> list[Verdict]:
    """Return, for each step in the pipeline's order, whether `run_pipeline` with the same arguments would run it.

    Raises:
        BadInput: the pipeline or its parameters cannot be used.
    """
    pipeline, content_store = read_pipeline(ir), Store(store)
    arguments, latest_entries = check_arguments(pipeline, parameters), latest(content_store)
    ended: dict[str, TaskResult] = {}
    verdicts: dict[str, Verdict] = {}
    for step in pipeline.steps.values():
        verdict = _waiting(step, ended, verdicts)
        if verdict is None:
            move = decide(step, arguments, ended)
            if isinstance(move, End):
                ended[step.name] = move.result
                verdict = Verdict(step.name, step.display, move.result.state, move.result.error)
            else:
                key_ingredients = ingredients(step, move.parameters, {name: artifact.digest for name, artifact in move.artifacts.items()})
                key = content_store.key(key_ingredients)
                entry, damage = content_store.find(key, pipeline.consumed(step.name), touch=False) if step.cache else (None, "")
                if entry:
                    ended[step.name] = TaskResult("cached", key=key, parameters=entry.parameters, artifacts=entry.artifacts)
                    verdict = Verdict(step.name, step.display, "cached", key=key)
                else:
                    reason = _why(step, damage, content_store.working_folder(step, key), latest_entries.get(step.name), key_ingredients)
                    verdict = Verdict(step.name, step.display, "would run", reason, key)
        verdicts[step.name] = verdict
    return list(verdicts.values())


def latest(store: Store) -> dict[str, Entry]:
    """Return the newest stored result of each step."""
    entries: dict[str, Entry] = {}
    for file in store.done.glob("[!.]*/entry.json"):
        try:
            entry = Entry.read(file.parent)
        except (ValueError, OSError):
            continue
        if entry.task not in entries or entry.created > entries[entry.task].created:
            entries[entry.task] = entry
    return entries


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Describe the differences between two sets of cache key ingredients, one text per difference."""
    changes = []
    if old["image"] != new["image"]:
        (old_name, _, old_tag), (new_name, _, new_tag) = old["image"].rpartition(":"), new["image"].rpartition(":")
        changes.append(
            f"code changed (image tag {old_tag} → {new_tag})"
            if old_name == new_name
            else f"image changed ({old['image']} → {new['image']})"
        )
    if any(old[key] != new[key] for key in ("command", "args", "env")):
        changes.append("command changed")
    if old["outputs"] != new["outputs"]:
        changes.append("declared outputs changed")
    artifacts = [name for name in {**old["artifacts"], **new["artifacts"]} if old["artifacts"].get(name) != new["artifacts"].get(name)]
    digest_parameters = {f"{name}_digest" for name in artifacts}  # digest parameters of changed artifacts: reported once, as artifacts
    for path, before, after in _changes("", old["parameters"], new["parameters"]):
        if path not in digest_parameters:
            changes.append(f"parameter {path} {before} → {after}")
    return changes + [f"input artifact {name} changed" for name in artifacts]


def _changes(path: str, old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({**old, **new}):
            inner = f"{path}.{key}" if path else key
            if key not in old or key not in new:
                yield inner, *("nothing" if key not in values else _short(values[key]) for values in (old, new))  # type: ignore[misc]
            else:
                yield from _changes(inner, old[key], new[key])
    elif old != new:
        yield path, _short(old), _short(new)


def _short(value: Any) -> str:
    text = render(value) or "''"
    return text if len(text) <= 40 else text[:37] + "..."


def _waiting(step: Step, ended: Mapping[str, TaskResult], verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """Return the verdict on a step that depends on outputs that do not exist yet, None for other steps."""

    def missing(*sources: Any) -> Output | None:
        return next((output for source in sources for output in outputs_in(source) if output.step not in ended), None)

    for guard in step.guards:
        if output := missing(*(guard.sources[key] for key in guard.condition.names)):
            return Verdict(
                step.name, step.display, "open", f"the condition depends on {output.key} of {output.step}, which is not known yet"
            )
    if output := missing(*step.parameters.values(), *step.artifacts.values()):
        verdict = "open" if verdicts[output.step].verdict == "open" else "would run"
        return Verdict(step.name, step.display, verdict, f"waits for {output.step}, whose outputs may change")
    return None


def _why(step: Step, damage: str, working_folder: Path, before: Entry | None, new_ingredients: Mapping[str, Any]) -> str:
    if not step.cache:
        return "caching is disabled"
    if damage:
        return f"the stored result cannot be used: {damage}"
    if working_folder.exists():
        return "an earlier run did not finish it; it continues in its working folder"
    if before is None:
        return "no stored result"
    return "; ".join(differences(before.ingredients, new_ingredients)) or "the stored result was removed"
