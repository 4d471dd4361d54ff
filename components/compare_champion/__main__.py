"""Measure the champion on the new model's held-out documents, compare the likelihoods, and let it complete the same prompts."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from components.compare_champion.champion import champion_completions, find_champion
from components.compare_champion.component import compare_champion
from robo_poet.atomic import write_text
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents
from robo_poet.errors import BadInput
from robo_poet.evaluation.completions import Continuation, read_continuations, read_decoding, write_continuations
from robo_poet.evaluation.likelihood import DocumentLikelihood, read_likelihoods, unit_rows, write_likelihoods
from robo_poet.evaluation.step_metrics import show_metrics
from robo_poet.judges.comparison import ROUNDING, compare
from robo_poet.model.batch import document_likelihoods
from robo_poet.model.saved_model import LoadedModel, load_model
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.storage.bucket import Unavailable
from robo_poet.settings.evaluation import CompareSettings
from robo_poet.step.program import Call, program


def work(call: Call) -> None:
    seed = int(call.parameters["seed"])
    new_rows = read_likelihoods(call.inputs["measured"])
    try:
        champion = find_champion(call.parameters["registry"], call.parameters["model_name"], call.parameters["champion"])
        model = load_model(champion.folder / "model", champion.folder / "tokenizer") if champion else None
    except (Corrupt, Unavailable):  # the registry can be restored or reached later: fail, so that no result is cached, and try again
        raise
    except BadInput as error:  # continue: the gates judge this state, and the new model is registered with the reason
        call.warn(f"the champion cannot be measured: {error}")
        _write_without_champion(call, "unreadable", f"the champion cannot be measured: {error.what}")
        return
    if champion is None or model is None:
        _write_without_champion(call, "none", "no champion yet, so there is no comparison")
        return
    documents = list(read_documents(call.inputs["scrubbed"], "test"))
    if [document.id for document in documents] != [row.id for row in new_rows]:
        remedy = "give the corpus that the model was evaluated on"
        raise BadInput("these documents are not the test split of the corpus", where=str(call.inputs["measured"]), remedy=remedy)
    prompts, decoding = read_continuations(call.inputs["continuations"]), read_decoding(call.inputs["continuations"])
    try:
        champion_rows, completions = _measure_champion(call, model, documents, prompts, decoding, champion.number)
    except (OSError, MemoryError):  # a fault of the machine, not of the champion
        raise
    except Exception as error:  # an older export may fail in any way on these tensors; the gates judge this state
        reason = f"it loads, but scoring or sampling fails with {type(error).__name__}"
        call.warn(f"the champion, version {champion.number}, cannot be measured: {reason}")
        _write_without_champion(call, "unreadable", f"the champion cannot be measured: {reason}")
        return
    write_likelihoods(call.outputs["champion_measured"], champion_rows)
    write_continuations(call.outputs["champion_continuations"], completions, decoding)
    grouping, (new_parts, champion_parts) = unit_rows(new_rows, champion_rows)
    result = compare(
        [row.group for row in new_parts], [row.bytes for row in new_parts], [row.nats for row in new_parts],
        [row.nats for row in champion_parts], seed=seed, documents=[row.id for row in new_parts],
    )  # fmt: skip
    champion_seed = champion.manifest().lineage.get("settings", {}).get("seed")
    if champion_seed is not None and champion_seed != seed:
        call.warn(
            f"the champion was trained with seed {champion_seed}, not {seed}, so these held-out documents may be in its training text"
        )
    difference = {name: _finite(value) for name, value in asdict(result.difference).items() if name != "unit"}
    comparison = {
        "identical": all(
            math.isclose(row.nats, champion_row.nats, rel_tol=ROUNDING) for row, champion_row in zip(new_rows, champion_rows, strict=True)
        ),
        "unit": result.unit, "works": grouping.works, "documents": grouping.documents,
        "verdict": result.verdict, "needed_units": result.needed_units, "reason": result.reason,
        "bits_per_byte": {"new": _bits_per_byte(new_rows), "champion": _bits_per_byte(champion_rows), "difference": difference},
    }  # fmt: skip
    _write_comparison(call, {"state": "measured", "champion": {"version": champion.number, "digest": champion.digest}, **comparison})
    call.progress(1, 1, f"version {champion.number}: {result.reason}")


def _measure_champion(
    call: Call, model: LoadedModel, documents: Sequence[Document], prompts: Sequence[Continuation], decoding: Mapping[str, float],
    version: int,
) -> tuple[list[DocumentLikelihood], list[Continuation]]:  # fmt: skip
    """Return the champion's likelihood of the documents and its completions of the prompts."""
    settings, seed = cast(CompareSettings, call.settings), int(call.parameters["seed"])
    rows = document_likelihoods(
        model, documents, batch=settings.batch,
        say=lambda done, total: call.progress(0.6 * done / total, 1, f"likelihood under the champion, version {version}"),
    )  # fmt: skip
    completions = champion_completions(
        model, prompts, decoding, batch=settings.batch, seed=seed,
        say=lambda done, total: call.progress(0.6 + 0.4 * done / total, 1, "the champion's completions of the same prompts"),
    )  # fmt: skip
    return rows, completions


def _write_without_champion(call: Call, state: str, reason: str) -> None:
    """Write outputs that contain no measurements. `state` is `none` (there is no champion) or `unreadable` (it cannot be measured)."""
    write_likelihoods(call.outputs["champion_measured"], [])
    write_continuations(call.outputs["champion_continuations"], [])
    _write_comparison(call, {"state": state, "champion": None, "reason": reason})
    call.progress(1, 1, reason)


def _bits_per_byte(rows: Sequence[DocumentLikelihood]) -> float | None:
    size = sum(row.bytes for row in rows)
    return _finite(sum(row.nats for row in rows) / math.log(2) / size) if size else None


def _finite(value: float | None) -> float | None:
    return round(value, 6) if value is not None and math.isfinite(value) else None


def _write_comparison(call: Call, comparison: dict[str, Any]) -> None:
    write_text(call.outputs["comparison"], json.dumps(comparison, indent=1, sort_keys=True, allow_nan=False) + "\n")
    difference = comparison.get("bits_per_byte", {}).get("difference", {})
    show_metrics(call, {f"bits_per_byte_difference_{name}": difference[name] for name in ("value", "low", "high") if name in difference})


def main(argv: Sequence[str] | None = None) -> int:
    return program(compare_champion, work, argv, settings=CompareSettings)


if __name__ == "__main__":
    sys.exit(main())
