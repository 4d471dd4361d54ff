"""Score the model's completions and the human references: BLEU, diversity, degeneration, coherence, safety, memorisation."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

from components.measure_text.component import measure_text
from components.measure_text.metric import RowMetric
from components.measure_text.personal_data import load_removed_data
from components.measure_text.text_metrics import TextMetrics, measure_continuations
from components.measure_text.training_text import TrainingText
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.evaluation.completions import Continuation, read_continuations
from robo_poet.evaluation.step_metrics import show_metrics
from robo_poet.judges.estimate import Estimate, Shortage
from robo_poet.judges.metrics import METRICS
from robo_poet.judges.units import units
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.evaluation import MeasureTextSettings
from robo_poet.step.program import Call, program

REMEDY = "run the evaluation again"
DIGITS = 6
# Example rows for the report: metric → True if the row with the largest value is shown, False if the smallest.
BEST_EXAMPLES = {"semantic_similarity": True}
WORST_EXAMPLES = {
    "repetition_rate": True,
    "longest_copy_max": True,
    "well_formed_sentences": False,
    "semantic_similarity": False,
    "sentiment": False,
}


def work(call: Call) -> None:
    settings, seed = cast(MeasureTextSettings, call.settings), int(call.parameters["seed"])
    rows, champion = (read_continuations(call.inputs[name]) for name in ("continuations", "champion_continuations"))
    if champion and [_prompt_key(row) for row in champion] != [_prompt_key(row) for row in rows]:
        raise BadInput(
            "the champion's completions are of other prompts than the model's",
            where=str(call.inputs["champion_continuations"]),
            remedy=REMEDY,
        )
    training = TrainingText(call.inputs["scrubbed"])
    if next(iter(training), None) is None:
        raise BadInput(
            "the training split is empty", where=str(call.inputs["scrubbed"]), remedy="pass the corpus that the model was trained on"
        )
    removed = load_removed_data(call.inputs["corpus"], call.inputs["audit"])
    step_numbers = iter(range(6))
    tokenizer = Tokenizer.load(call.inputs["tokenizer"])
    if rows:
        collected = measure_continuations(
            rows, champion, training, removed, tokenizer, settings, seed, lambda text: call.progress(next(step_numbers), 6, text)
        )  # fmt: skip
    else:  # the gates reject missing metrics; the model is registered with that reason
        collected = TextMetrics(missing=["no metric was measured: no held-out document is long enough for a prompt"])
    call.progress(5, 6, "confidence intervals")
    artifact = text_metrics_json(collected, rows, settings, seed)
    for missing in collected.missing:
        call.warn(missing)
    write_text(call.outputs["text_metrics"], json.dumps(artifact, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False))
    show_metrics(call, artifact["metrics"])
    call.progress(1, 1, f"{len(rows)} continuations of {artifact['works']} works scored")


def text_metrics_json(collected: TextMetrics, rows: Sequence[Continuation], settings: MeasureTextSettings, seed: int) -> dict[str, Any]:
    """Return the JSON artifact: metrics of model, human references and champion, with their finite intervals. It contains no text."""
    row_units = units([row.group for row in rows], [row.document for row in rows], part="prompt")

    def estimates(metrics: Mapping[str, RowMetric | None], *, differences: bool = False) -> dict[str, Estimate | None]:
        limits = {name: (-math.inf, math.inf) if differences else (METRICS[name].least, METRICS[name].most) for name in metrics}
        return {
            name: metric.estimate(row_units, resamples=settings.resamples, seed=seed, least=limits[name][0], most=limits[name][1])
            if metric
            else None
            for name, metric in metrics.items()
        }

    model, human = estimates(collected.model), estimates(collected.human)
    shortages = dict(collected.shortages)
    if (share := model.get(RELATIVE_BLEU)) and (shortage := ratio_shortage(share, row_units.name, len(rows))):
        shortages[RELATIVE_BLEU] = shortage
    return {
        "metrics": _values(model),
        "intervals": _intervals(model),
        "human": _values(human),
        "human_intervals": _intervals(human),
        "champion": _values(estimates(collected.champion)),
        "difference": {
            name: _estimate_json(estimate) for name, estimate in estimates(collected.difference, differences=True).items() if estimate
        },
        "semantic_method": collected.semantic_method,
        "personal_data": collected.personal_data,
        "not_looked_for": collected.skipped_findings,
        "private_rows": sorted(collected.private_rows),
        "private_champion_rows": sorted(collected.private_champion_rows),
        "best": _example_rows(collected, rows, BEST_EXAMPLES),
        "worst": _example_rows(collected, rows, WORST_EXAMPLES),
        "shortages": {name: shortage.to_json() for name, shortage in shortages.items()},
        "notes": collected.missing + collected.notes,
        "continuations": len(rows),
        "unit": row_units.name,
        "units": int(row_units.of.max(initial=-1)) + 1,
        "works": len({row.group for row in rows}),
    }


RELATIVE_BLEU = "bleu_to_people"
WIDEST_RATIO = 1.0  # of the interval: the value of human text itself
FEWEST_COMPLETIONS = 50  # for a ratio that can reject a model


def ratio_shortage(estimate: Estimate, unit: str, completions: int) -> Shortage | None:
    """Return the shortage of a ratio to human text from few completions, or with an interval wider than 1, the value of human text.

    Completions share few 4-grams with human text. With few of them one match changes BLEU tenfold, and the ratio says nothing: for 81
    completions of 12 words it was 0.11, with an interval from 0.003 to 3.9. If no resample has such a match, the interval is too narrow:
    a model had 0.12 (0.03 to 0.22) with 20 completions and 0.92 (0.07 to 1.8) with 60. A low value is then no reason to reject. Widths
    shrink as 1/√units.
    """
    if completions < FEWEST_COMPLETIONS:
        return Shortage("completions", FEWEST_COMPLETIONS, completions)
    width = estimate.high - estimate.low
    if not math.isfinite(width) or width <= WIDEST_RATIO:
        return None
    needed = max(estimate.units + 1, math.ceil(estimate.units * min(width / WIDEST_RATIO, 1000.0) ** 2))
    return Shortage(f"{unit}s with completions", needed, estimate.units)


def _prompt_key(row: Continuation) -> tuple[str, str, str]:
    return row.document, row.prompt, row.reference


def _values(estimates: Mapping[str, Estimate | None]) -> dict[str, float | None]:
    """Return name → rounded value. Non-finite values become None: the gates reject them and say why."""
    return {name: _rounded(estimate.value) if estimate and math.isfinite(estimate.value) else None for name, estimate in estimates.items()}


def _intervals(estimates: Mapping[str, Estimate | None]) -> dict[str, list[float]]:
    bounds = {name: (estimate.low, estimate.high) for name, estimate in estimates.items() if estimate}
    return {name: list(map(_rounded, pair)) for name, pair in bounds.items() if all(map(math.isfinite, pair))}


def _estimate_json(estimate: Estimate) -> dict[str, float | None]:
    """Return an estimate as a JSON object. It includes the units, because the comparison with the champion needs them; NaN becomes None."""
    numbers = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: _rounded(number) if math.isfinite(number) else None for name, number in numbers.items()} | {"units": estimate.units}


def _example_rows(collected: TextMetrics, rows: Sequence[Continuation], directions: Mapping[str, bool]) -> dict[str, Any]:
    """Return the row with the largest or smallest value of each metric.

    Rows with personal data are excluded. A metric whose rows all have the same value is skipped.
    """
    examples = {}
    for name, largest in directions.items():
        metric = collected.model.get(name)
        values = metric.rows if metric else ()
        candidates = [row for row, value in enumerate(values) if math.isfinite(value) and row not in collected.private_rows]
        if len({values[row] for row in candidates}) > 1:
            row = (max if largest else min)(candidates, key=lambda candidate: values[candidate])
            examples[name] = {"row": row, "document": rows[row].document, "value": _rounded(values[row])}
    return examples


def _rounded(number: float) -> float:
    return round(number, DIGITS) + 0.0


def main(argv: Sequence[str] | None = None) -> int:
    return program(measure_text, work, argv, settings=MeasureTextSettings)


if __name__ == "__main__":
    sys.exit(main())
