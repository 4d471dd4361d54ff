"""The model card as data (Mitchell et al. 2019). The HTML page is rendered from it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from robo_poet.display import masked
from robo_poet.evaluation.completions import Continuation
from robo_poet.judges.metrics import bands, interval_scope

ABOUT = (
    "The model continues a text in the style of its training text. It has no knowledge of facts: its statements may be false, and a name "
    "in its output does not refer to a real person."
)
SAMPLES = 3  # random samples shown
MEANT_FOR = "Intended use: creative writing and play, where a person reads the output before it is published."
NOT_FOR = (
    "Not intended: facts, advice, judgements about people, writing in the name of a living person, languages outside the training text."
)
# limits that apply to every run of this pipeline
LIMITS = (
    "Bias is measured on fixed test sentences in the listed languages. Other groups, words and languages are not measured.",
    "Toxicity and sentiment are estimated by small models and a word list for modern English. On verse and older English they are rough "
    "estimates, and they miss most hatred or threats that use ordinary words.",
    "Copied text is searched for in the training text only, not in other texts.",
)


def make_card(
    *,
    evaluation: Mapping[str, Any],
    text_metrics: Mapping[str, Any],
    model_audit: Mapping[str, Any],
    slices: Mapping[str, Any],
    comparison: Mapping[str, Any],
    decision: Mapping[str, Any],
    statistics: Mapping[str, Any],
    recall: Mapping[str, Any],
    drift: Mapping[str, Any],
    prompt_skew: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    lineage: Mapping[str, Any],
    continuations: Sequence[Continuation],
    champion_continuations: Sequence[Continuation] = (),
    dropped: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Combine all artifacts of a run's evaluation into one card; see docs/how-to/read-the-card.md.

    Args:
        dropped: reason → number of documents that the corpus leaves out for it.
    """
    return {
        "about": [ABOUT, MEANT_FOR, NOT_FOR],
        "verdict": decision["verdict"],
        "reason": decision["reason"],
        "gates": decision["gates"],
        "metrics": decision.get("metrics", {}),
        "intervals": decision.get("intervals", {}),
        "shortages": decision.get("shortages", {}),
        "people": text_metrics.get("human", {}),
        "champion_texts": {name: text_metrics.get(name, {}) for name in ("champion", "difference")},
        "bands": bands(decision.get("metrics", {})),
        "measured_on": {name: evaluation.get(name) for name in ("documents", "tokens", "unit", "units")}
        | {name: text_metrics.get(name) for name in ("continuations", "semantic_method")}
        | {f"text_{name}": text_metrics.get(name) for name in ("unit", "units")},
        "champion": comparison,
        "slices": slices,
        "bias": {"groups": model_audit.get("axes", []), "examples": model_audit.get("examples", [])},
        "secrets": model_audit.get("secrets", {}),
        "scrubbing": recall,
        "personal_data": text_metrics.get("personal_data", {}),
        "samples": {
            "drawn": _random_samples(continuations, frozenset(text_metrics.get("private_rows", ()))),
            "good": _selected_samples(text_metrics.get("best", {}), continuations),
            "beside_champion": _samples_beside_champion(continuations, champion_continuations, text_metrics),
            "bad": _selected_samples(text_metrics.get("worst", {}), continuations),
        },
        "limits": [*_limits(evaluation, comparison, text_metrics, lineage, decision, statistics), *LIMITS],
        "data": statistics,
        "dropped": dict(dropped or {}),
        "drift": drift,
        "prompt_skew": prompt_skew,
        "training": _training(history),
        "lineage": lineage,
    }


def _random_samples(continuations: Sequence[Continuation], private: Collection[int]) -> list[dict[str, str]]:
    """Return the first continuations without personal data. Prompts are in random order, so these are random samples."""
    shown = [row for number, row in enumerate(continuations) if number not in private][:SAMPLES]
    return [{"prompt": masked(_from_first_whole_line(row.prompt)), "text": masked(row.text)} for row in shown]


def _samples_beside_champion(
    continuations: Sequence[Continuation], champion: Sequence[Continuation], text_metrics: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Return the first prompts with the completions of both models, without personal data; empty if there is no champion."""
    if len(champion) != len(continuations) or "private_champion_rows" not in text_metrics:
        return []
    private = {*text_metrics.get("private_rows", ()), *text_metrics["private_champion_rows"]}
    pairs = [pair for number, pair in enumerate(zip(continuations, champion, strict=True)) if number not in private][:SAMPLES]
    return [
        {"prompt": masked(_from_first_whole_line(own.prompt)), "text": masked(own.text), "champion": masked(other.text)}
        for own, other in pairs
    ]


def _from_first_whole_line(text: str) -> str:
    """Return the prompt from its first whole line on, if it has one: a prompt is cut anywhere."""
    _, newline, rest = text.partition("\n")
    return rest.lstrip("\n") if newline and rest.strip() else text


def _selected_samples(selections: Mapping[str, Any], continuations: Sequence[Continuation]) -> list[dict[str, Any]]:
    """Return the continuations that a metric found best or worst, each once, with the metrics that selected it."""
    selected: dict[int, dict[str, Any]] = {}
    for metric, pick in selections.items():
        if pick and 0 <= pick["row"] < len(continuations):
            row = continuations[pick["row"]]
            texts = {"prompt": masked(_from_first_whole_line(row.prompt)), "text": masked(row.text), "reference": masked(row.reference)}
            sample = selected.setdefault(pick["row"], texts | {"picked_by": {}})
            sample["picked_by"][metric] = pick["value"]
    return list(selected.values())


def _limits(
    evaluation: Mapping[str, Any], comparison: Mapping[str, Any], text_metrics: Mapping[str, Any], lineage: Mapping[str, Any],
    decision: Mapping[str, Any], statistics: Mapping[str, Any],
) -> list[str]:  # fmt: skip
    """Return the limits of this run."""
    statements = [scope for unit in dict.fromkeys((evaluation.get("unit"), comparison.get("unit"))) if (scope := interval_scope(unit))]
    if comparison.get("state") == "unreadable":
        statements.append(str(comparison.get("reason")))
    settings = lineage.get("settings", {})
    lift, lift_interval = decision.get("metrics", {}).get("semantic_lift"), decision.get("intervals", {}).get("semantic_lift")
    if lift is not None and (lift_interval is None or lift_interval[0] <= 0):
        statements.append(
            "The model does not follow its prompt: its completions are not significantly closer to their own prompt than to another prompt."
        )
    if text := settings.get("text", {}):
        ignored = len(text.get("toxicity_ignores", ()))
        statements.append(
            f"A text counts as toxic at a probability of {text.get('toxicity_threshold')} or more. "
            f"{ignored} words that are common in plays are ignored."
        )
    if scrub := settings.get("scrub", {}):
        policies = {source: scrub.get("policies", {}).get(source, scrub.get("default_policy")) for source in statistics.get("sources", {})}
        descriptions = {
            "none": "not removed",
            "patterns": "removed by patterns, names kept",
            "full": "removed by patterns and a name model",
        }
        handling = "; ".join(f"{source}: {descriptions.get(str(policy), policy)}" for source, policy in sorted(policies.items()))
        statements.append(
            f"Personal data in the training text, by source: {handling}. Personal data that these methods miss is still in the text."
        )
    unlicensed = sum(row["documents"] - row["consent"] for row in statistics.get("rights", ()) if row["licence"] == "")
    if unlicensed:
        statements.append(f"{unlicensed:,} of {statistics['documents']:,} documents have neither a licence nor a consent in the corpus.")
    if settings.get("train", {}).get("warm_start"):
        statements.append(
            "The training started from the weights of another version. The training text of that version is not searched for copies."
        )
    if skipped := text_metrics.get("not_looked_for"):
        statements.append(f"Completions are not searched for {skipped:,} scrubbed names that consist of one word or are too short.")
    return [*statements, *map(str, text_metrics.get("notes", []))]


def _training(history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of the best validation, whose weights are exported."""
    checked = [point for point in history if "validation_cross_entropy" in point]
    best = min(checked, key=lambda point: point["validation_cross_entropy"]) if checked else {}
    last = history[-1] if history else {}
    return {
        "steps": last.get("step"), "tokens": last.get("tokens"), "best_step": best.get("step"),
        "validation_perplexity": best.get("validation_perplexity"),
    }  # fmt: skip
