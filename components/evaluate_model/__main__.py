"""Measure the exported model on the test split: document likelihoods, two baselines (unigram, shuffled), completions, the edge model."""

import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from components.evaluate_model.component import evaluate_model
from components.evaluate_model.exports import compressed_bytes, measure_edge_loss
from components.evaluate_model.held_out_prompts import MIN_DOCUMENT_TOKENS, Prompt, held_out_prompts
from components.evaluate_model.word_order import MINIMUM_WORDS, word_order_estimate
from robo_poet.atomic import write_text
from robo_poet.corpus.parquet import read_documents
from robo_poet.errors import BadInput
from robo_poet.evaluation.completions import Continuation, write_continuations
from robo_poet.evaluation.likelihood import likelihood_metrics, write_likelihoods
from robo_poet.evaluation.step_metrics import StepMetrics
from robo_poet.judges.estimate import Shortage, too_few_units
from robo_poet.model.batch import complete_prompts, completion_nats, document_likelihoods
from robo_poet.model.completion import Completion, Sampling
from robo_poet.model.edge import load_edge
from robo_poet.model.saved_model import LoadedModel, load_model
from robo_poet.settings.evaluation import EvaluateSettings
from robo_poet.step.program import Call, program


def unigram_log_probs(training: Iterable[Sequence[int]], size: int) -> npt.NDArray[np.float64]:
    """Return the unigram model of the training split: natural log probabilities with add-one smoothing, shape (size,).

    Args:
        training: documents as token ids, without `<START>`, which is never predicted.
        size: vocabulary size.
    """
    counts = np.ones(size)
    for document in training:
        counts += np.bincount(np.asarray(document, np.int64), minlength=size)
    log_probs: npt.NDArray[np.float64] = np.log(counts / counts.sum())
    return log_probs


def work(call: Call) -> None:
    settings, seed = cast(EvaluateSettings, call.settings), int(call.parameters["seed"])
    corpus = call.inputs["scrubbed"]
    test = list(read_documents(corpus, "test"))
    if not test:
        raise BadInput("the test split is empty", where=str(corpus), remedy="give a corpus with more works")
    model = load_model(call.inputs["model"], call.inputs["tokenizer"])

    tokenizer = model.tokenizer
    unigram = unigram_log_probs((tokenizer.encode_document(d.text)[1:] for d in read_documents(corpus, "train")), tokenizer.size)
    rows = document_likelihoods(
        model, test, batch=settings.batch, unigram=unigram,
        say=lambda done, total: call.progress(0.4 * done, total, "likelihood of the held-out text"),
    )  # fmt: skip
    write_likelihoods(call.outputs["measured"], rows)
    estimates = likelihood_metrics(rows, seed)
    word_order = word_order_estimate(
        rows, test, lambda documents: document_likelihoods(
            model, documents, batch=settings.batch,
            say=lambda done, total: call.progress(0.4 + 0.1 * done / total, 1, "likelihood of the held-out words in another order"),
        ), seed,
    )  # fmt: skip
    if word_order is not None:
        estimates["bits_saved_over_shuffled"] = word_order

    prompts = held_out_prompts(model, test, settings.continuations, settings.prompt_tokens, settings.continuation_tokens, seed)
    if not prompts:
        call.warn(f"all held-out documents are shorter than {MIN_DOCUMENT_TOKENS} tokens, so the model completes no prompts")
    decoding = {name: getattr(settings, name) for name in ("temperature", "top_k", "top_p")}
    sampling = Sampling(settings.continuation_tokens, 0, **decoding)  # min_new 0: a model may end immediately
    ids, references = [prompt.ids for prompt in prompts], [prompt.following for prompt in prompts]
    completions = complete_prompts(
        model, ids, list(map(len, references)), sampling, batch=settings.batch, seed=seed,
        say=lambda done, total: call.progress(0.5 + 0.3 * done / total, 1, "completions of held-out prompts"),
    )  # fmt: skip
    completion_scores, reference_scores = (
        completion_nats(model, ids, texts, batch=settings.batch)
        for texts in ([completion.tokens for completion in completions], references)
    )
    continuations = [_continuation(model, *row) for row in zip(prompts, completions, completion_scores, reference_scores, strict=True)]
    write_continuations(call.outputs["continuations"], continuations, decoding)

    metrics = {name: estimate.value for name, estimate in estimates.items()}
    tokens, size = sum(row.tokens for row in rows), sum(row.bytes for row in rows)
    metrics |= {"test_tokens": float(tokens), "test_bytes": float(size)} | _measure_exports(
        call, model, [document.text for document in test]
    )
    shortages = {
        name: too_few_units(estimate, " of held-out text")
        for name, estimate in estimates.items()
        if math.isfinite(estimate.value) and not math.isfinite(estimate.high)
    }
    if word_order is None:
        shortages["bits_saved_over_shuffled"] = Shortage(f"held-out documents of {MINIMUM_WORDS} words or more", 1, 0, "missing")
    step_metrics = StepMetrics(metrics, {name: (estimate.low, estimate.high) for name, estimate in estimates.items()}, shortages)
    evaluation = step_metrics.to_json() | {
        "documents": len(test), "tokens": tokens,
        "unit": estimates["bits_per_byte"].unit, "units": estimates["bits_per_byte"].units,
    }  # fmt: skip
    write_text(call.outputs["evaluation"], json.dumps(evaluation, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False))
    step_metrics.show(call)
    call.progress(1, 1, f"perplexity {metrics['perplexity']:.1f}, {metrics['bits_per_byte']:.3f} bits per byte")


def _continuation(model: LoadedModel, prompt: Prompt, completion: Completion, nats: float, reference_nats: float) -> Continuation:
    decode, document = model.tokenizer.decode, prompt.document
    return Continuation(
        document.id, document.group, document.language, decode(prompt.ids), completion.text, decode(prompt.following),
        completion.reason.name.lower(), completion.tokens, prompt.following, nats, reference_nats,
    )  # fmt: skip


def _measure_exports(call: Call, model: LoadedModel, test: Sequence[str]) -> dict[str, float]:
    """Return the sizes of the exports in MB (10**6 bytes) and the quality loss of the edge model (REG-3)."""
    settings, artifact = cast(EvaluateSettings, call.settings), call.inputs["model"]
    edge = load_edge(artifact / "edge", call.inputs["tokenizer"])
    loss = measure_edge_loss(
        model, edge, test, tokens=settings.edge_tokens, batch=settings.batch, seed=int(call.parameters["seed"]),
        say=lambda done, total: call.progress(0.8 + 0.15 * done / total, 1, "quality loss of the edge model"),
    )  # fmt: skip
    return {
        "edge_bits_per_byte_loss": loss,
        "edge_megabytes": (artifact / "edge" / "model.tflite").stat().st_size / 1e6,
        "saved_model_compressed_megabytes": compressed_bytes(artifact / "saved_model") / 1e6,
    }


def main(argv: Sequence[str] | None = None) -> int:
    return program(evaluate_model, work, argv, settings=EvaluateSettings)


if __name__ == "__main__":
    sys.exit(main())
