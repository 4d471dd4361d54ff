"""Score the model's completions and the human references: BLEU, diversity, degeneration, coherence, safety, memorisation."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

from components.measure_text.measure import Measure
from components.measure_text.measure_continuations import measure_continuations
from components.measure_text.measurement import Measurement
from components.measure_text.taken_out import taken_out
from components.measure_text.training_text import TrainingText
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.evaluation.completions import Continuation, read_continuations
from robo_poet.evaluation.measures import show_metrics
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.units import units
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.measure_text import MeasureTextSettings
from robo_poet.step import Call, program

AGAIN = "run the evaluation again"
DIGITS = 6
# Example rows for the report: metric → True if the row with the largest value is shown, False if the smallest.
BEST = {"semantic_similarity": True}
WORST = {
    "repetition_rate": True,
    "longest_copy_max": True,
    "well_formed_sentences": False,
    "semantic_similarity": False,
    "sentiment": False,
}


def work(call: Call) -> None:
    settings, seed = cast(MeasureTextSettings, call.settings), int(call.parameters["seed"])
    rows, champion = (read_continuations(call.inputs[name]) for name in ("continuations", "champion_continuations"))
    if champion and [_place(row) for row in champion] != [_place(row) for row in rows]:
        raise BadInput("the champion's texts are not of the model's places", where=str(call.inputs["champion_continuations"]), remedy=AGAIN)
    training = TrainingText(call.inputs["scrubbed"])
    if next(iter(training), None) is None:
        raise BadInput("the training split is empty", where=str(call.inputs["scrubbed"]), remedy="give the corpus that was trained on")
    taken = taken_out(call.inputs["corpus"], call.inputs["audit"])
    parts = iter(range(6))
    tokenizer = Tokenizer.load(call.inputs["tokenizer"])
    if rows:
        found = measure_continuations(
            rows, champion, training, taken, tokenizer, settings, seed, lambda text: call.progress(next(parts), 6, text)
        )  # fmt: skip
    else:  # the gates reject missing metrics; the model is registered with that reason
        found = Measurement(missing=["nothing was continued: no held-out document is long enough, and no text is judged"])
    call.progress(5, 6, "intervals")
    result = summary(found, rows, settings, seed)
    for missing in found.missing:
        call.warn(missing)
    write_text(call.outputs["text_metrics"], json.dumps(result, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False))
    show_metrics(call, result["metrics"])
    call.progress(1, 1, f"{len(rows)} continuations of {result['works']} works judged")


def summary(found: Measurement, rows: Sequence[Continuation], settings: MeasureTextSettings, seed: int) -> dict[str, Any]:
    """Return the JSON artifact: metrics of model, human references and champion, with their finite intervals. It contains no text."""
    over = units([row.group for row in rows], [row.document for row in rows])

    def estimates(measures: Mapping[str, Measure | None]) -> dict[str, Estimate | None]:
        return {
            name: measure.estimate(over, resamples=settings.resamples, seed=seed) if measure else None for name, measure in measures.items()
        }

    model, human = estimates(found.model), estimates(found.human)
    return {
        "metrics": _values(model),
        "intervals": _limits(model),
        "human": _values(human),
        "human_intervals": _limits(human),
        "champion": _values(estimates(found.champion)),
        "difference": {name: _written(one) for name, one in estimates(found.difference).items() if one},
        "personal_data": found.personal_data,
        "not_looked_for": found.not_looked_for,
        "private_rows": sorted(found.private),
        "best": _picked(found, rows, BEST),
        "worst": _picked(found, rows, WORST),
        "notes": found.missing + found.notes,
        "continuations": len(rows),
        "unit": over.name,
        "units": int(over.of.max(initial=-1)) + 1,
        "works": len({row.group for row in rows}),
    }


def _place(row: Continuation) -> tuple[str, str, str]:
    return row.document, row.prompt, row.reference


def _values(estimates: Mapping[str, Estimate | None]) -> dict[str, float | None]:
    """Return name → rounded value. Non-finite values become None: the gates reject them and say why."""
    return {name: _rounded(one.value) if one and math.isfinite(one.value) else None for name, one in estimates.items()}


def _limits(estimates: Mapping[str, Estimate | None]) -> dict[str, list[float]]:
    there = {name: (one.low, one.high) for name, one in estimates.items() if one}
    return {name: list(map(_rounded, limits)) for name, limits in there.items() if all(map(math.isfinite, limits))}


def _written(one: Estimate) -> dict[str, float | None]:
    """Return an estimate as JSON, with its units, which the comparison with the champion needs. Non-finite numbers become None."""
    found = {"value": one.value, "low": one.low, "high": one.high}
    return {name: _rounded(number) if math.isfinite(number) else None for name, number in found.items()} | {"units": one.units}


def _picked(found: Measurement, rows: Sequence[Continuation], metrics: Mapping[str, bool]) -> dict[str, Any]:
    """Return the row with the largest or smallest value of each metric.

    Rows with personal data are excluded. A metric whose rows all have the same value is skipped.
    """
    picked = {}
    for name, largest in metrics.items():
        measure = found.model.get(name)
        values = measure.rows if measure else ()
        there = [number for number, one in enumerate(values) if math.isfinite(one) and number not in found.private]
        if len({values[number] for number in there}) > 1:
            number = (max if largest else min)(there, key=lambda place: values[place])
            picked[name] = {"row": number, "document": rows[number].document, "value": _rounded(values[number])}
    return picked


def _rounded(number: float) -> float:
    return round(number, DIGITS) + 0.0


def main(argv: Sequence[str] | None = None) -> int:
    return program(
        "measure_text", work, argv, description=__doc__, outputs=["text_metrics"],
        inputs=["continuations", "champion_continuations", "corpus", "scrubbed", "audit", "tokenizer"],
        views=["metrics"], parameters={"seed": int}, settings=MeasureTextSettings,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
