"""The point value of each metric on each slice, computed with TensorFlow Model Analysis (TFMA, EVAL-5)."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.slice_metrics.slicing import Slice
from robo_poet.evaluation.likelihood import DocumentLikelihood
from robo_poet.judges.gate import OVERALL
from robo_poet.process import silent_stderr

TOLERANCE = 1e-6
Array = npt.NDArray[np.float64]
Values = dict[str, dict[str, float]]  # slice key → metric → weighted mean


@dataclass(frozen=True)
class RatioMetric:
    """A metric that is a ratio of sums over documents.

    Args:
        weight: the column of the denominator.
        amount: the numerator of one document.
        transform: function that converts the ratio to the metric. It is increasing, so it also converts the bounds of an interval.
        inverse: the inverse function, which converts the possible range of the metric to that of the ratio.
    """

    weight: Literal["bytes", "tokens"]
    amount: Callable[[DocumentLikelihood], float]
    transform: Callable[[float], float] = float
    inverse: Callable[[float], float] = float

    def sums(self, documents: Sequence[DocumentLikelihood]) -> tuple[Array, Array]:
        """Return the amounts and the weights of the documents, (documents,) each."""
        amounts = np.asarray([self.amount(document) for document in documents], np.float64)
        return amounts, np.asarray([getattr(document, self.weight) for document in documents], np.float64)


def _exp(nats: float) -> float:
    return math.exp(nats) if nats < 700 else math.inf


RATIO_METRICS: Mapping[str, RatioMetric] = {
    "bits_per_byte": RatioMetric("bytes", lambda document: document.nats / math.log(2)),
    "perplexity": RatioMetric("tokens", lambda document: document.nats, _exp, math.log),
    "token_accuracy": RatioMetric("tokens", lambda document: document.first),
    "top5_accuracy": RatioMetric("tokens", lambda document: document.among_five),
}


class Disagreement(Exception):
    """TFMA's result differs from the ratio of sums. This is a bug in this package, not bad input."""


def check_values(model: str, documents: Sequence[DocumentLikelihood], slices: Sequence[Slice], values: Values) -> Values:
    """Check TFMA's `values` against ratios of sums, and return those of `slices`.

    A value is NaN if a document of the slice has a non-finite number. Such a document is never left out of a mean: otherwise a model
    that fails on a document would look better.

    Args:
        model: name of the model, for error messages.

    Raises:
        Disagreement: a value is missing, differs from the ratio of sums by more than 1e-6, or belongs to an unknown slice.
    """
    if unknown := sorted(values.keys() - {slice_.key for slice_ in slices}):
        raise Disagreement(f"TFMA returned an unknown slice: {unknown[0]}")
    checked_values: dict[str, dict[str, float]] = {slice_.key: {} for slice_ in slices}
    for name, metric in RATIO_METRICS.items():
        amounts, weights = metric.sums(documents)
        for slice_ in slices:
            ratio = float(amounts[slice_.rows].sum() / weights[slice_.rows].sum())
            value = values.get(slice_.key, {}).get(name, math.nan) if math.isfinite(ratio) else math.nan
            if math.isfinite(ratio) and not math.isclose(value, ratio, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                raise Disagreement(
                    f"{name} of the {model} on {slice_.key or 'all documents'}: TFMA returned {value}, the ratio of sums is {ratio}"
                )
            checked_values[slice_.key][name] = value
    return checked_values


def load_tfma() -> None:
    """Import TFMA and Beam. It takes 7 s of the 16 s of the step on 400 documents, and prints nothing."""
    with _silence():
        import apache_beam  # noqa: F401
        import tensorflow_model_analysis  # noqa: F401


PREDICTION = "prediction"  # TFMA requires a prediction column; its values are not used


def analyse(models: Mapping[str, Sequence[DocumentLikelihood]], slices: Sequence[Slice], folder: Path) -> dict[str, Values]:
    """Return the weighted means of all metrics, by model and slice.

    A metric is the `MeanLabel` of amount / weight, weighted by weight (see `RATIO_METRICS`). Each metric of each model is a ModelSpec
    with a separate label key, because TFMA gives the same value to all ModelSpecs that share a label key.

    Args:
        models: name → documents, in the same order for each model.
        folder: an empty folder for TFMA's files.
    """
    with _silence():
        import apache_beam as beam
        import tensorflow_model_analysis as tfma
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner
        from tfx_bsl.arrow.table_util import CanonicalizeRecordBatch

        columns = _columns(models) | _dimensions(slices, len(next(iter(models.values()))))
        # Do not use pandas here: Arrow reads its NaN as null, and TFMA leaves out documents with a null label.
        table = CanonicalizeRecordBatch(pa.RecordBatch.from_pydict(columns))
        # Beam's default runner, which tfma.analyze_raw_data uses, first tries to download a runner written in Go.
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            _ = (
                pipeline
                | beam.Create([table])
                | tfma.ExtractEvaluateAndWriteResults(eval_config=_config(models, slices), output_path=str(folder))
            )
        return {
            model: _merge_results({name: tfma.load_eval_result(str(folder), model_name=f"{model}/{name}") for name in RATIO_METRICS})
            for model in models
        }  # fmt: skip


def _columns(models: Mapping[str, Sequence[DocumentLikelihood]]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for model, documents in models.items():
        for name, metric in RATIO_METRICS.items():
            amounts, weights = metric.sums(documents)
            columns |= {f"{model}/{name}": amounts / weights, f"{model}/{metric.weight}": weights, PREDICTION: np.zeros(len(documents))}
    return columns


def _dimensions(slices: Sequence[Slice], documents: int) -> dict[str, Any]:
    """Return one column per dimension: the key of each document's slice; None for documents in no measured slice."""
    columns: dict[str, Any] = {}
    for slice_ in slices:
        if slice_.values:
            columns.setdefault(_dimension_name(slice_), np.full(documents, None, object))[slice_.rows] = slice_.key
    return columns


def _dimension_name(slice_: Slice) -> str:
    return f"slice by {', '.join(slice_.values)}"


def _config(models: Mapping[str, Sequence[DocumentLikelihood]], slices: Sequence[Slice]) -> Any:
    from tensorflow_model_analysis.proto import config_pb2

    specs = [
        config_pb2.ModelSpec(
            name=f"{model}/{name}", label_key=f"{model}/{name}", prediction_key=PREDICTION, example_weight_key=f"{model}/{metric.weight}"
        )
        for model in models
        for name, metric in RATIO_METRICS.items()
    ]
    dimensions = dict.fromkeys(_dimension_name(slice_) for slice_ in slices if slice_.values)
    return config_pb2.EvalConfig(
        model_specs=specs,
        slicing_specs=[config_pb2.SlicingSpec(), *(config_pb2.SlicingSpec(feature_keys=[name]) for name in dimensions)],
        metrics_specs=[config_pb2.MetricsSpec(metrics=[config_pb2.MetricConfig(class_name="MeanLabel")])],
    )


def _merge_results(results: Mapping[str, Any]) -> Values:
    values: Values = {}
    for name, result in results.items():
        for slice_pairs, outputs in result.slicing_metrics:
            key = slice_pairs[0][1] if slice_pairs else OVERALL
            values.setdefault(key, {})[name] = float(outputs[""][""]["mean_label"]["doubleValue"])  # the value may be the string "NaN"
    return values


@contextmanager
def _silence() -> Iterator[None]:
    """Suppress the log output of TFMA, Beam and TensorFlow below ERROR. Exceptions are raised as usual."""
    loggers = [logging.getLogger(name) for name in ("absl", "tensorflow", "apache_beam")]
    levels = [logger.level for logger in loggers]
    with silent_stderr():
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
