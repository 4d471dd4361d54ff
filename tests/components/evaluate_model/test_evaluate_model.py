import json
import math
from pathlib import Path

import numpy as np
import pytest

from components.evaluate_model.__main__ import main, unigram_log_probs
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents, write_documents
from robo_poet.evaluation.completions import read_continuations
from robo_poet.evaluation.likelihood import read_likelihoods
from robo_poet.judges.metrics import METRICS
from robo_poet.model.saved_model import LoadedModel, load_model
from robo_poet.model.tokenizer import START
from tests.conftest import verse


@pytest.fixture(scope="module")
def model(toy_training: Path, toy_tokenizer: Path) -> LoadedModel:
    return load_model(toy_training / "model", toy_tokenizer)


def run(corpus: Path, training: Path, tokenizer: Path, out: Path, **settings: object) -> int:
    small = {"continuations": 8, "prompt_tokens": 8, "continuation_tokens": 10, **settings}
    arguments = ["--scrubbed", corpus, "--tokenizer", tokenizer, "--model", training / "model", "--seed", 1]
    arguments += ["--settings", json.dumps(small), "--evaluation", out, "--executor-output", out.with_suffix(".output")]
    arguments += ["--measured", out.with_suffix(".measured"), "--continuations", out.with_suffix(".continuations")]
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def evaluation(toy_corpus: Path, toy_training: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output `evaluation` of a run; the other outputs are in the same folder."""
    out = tmp_path_factory.mktemp("evaluation") / "evaluation"
    assert run(toy_corpus, toy_training, toy_tokenizer, out) == 0
    return out


@pytest.fixture(scope="module")
def metrics(evaluation: Path) -> dict[str, float]:
    return dict(json.loads(evaluation.read_text())["metrics"])


def test_the_metrics_are_sums_over_the_likelihood_of_each_token(toy_corpus: Path, model: LoadedModel, metrics: dict[str, float]) -> None:
    nats, hits, top_five, tokens, size, unigram = 0.0, 0, 0, 0, 0, 0.0
    train = [model.tokenizer.encode_document(d.text)[1:] for d in read_documents(toy_corpus, "train")]
    counts = np.bincount(np.concatenate(train), minlength=model.tokenizer.size) + 1.0
    for document in read_documents(toy_corpus, "test"):
        ids = model.tokenizer.encode_document(document.text)[:256]
        assert len(model.tokenizer.encode_document(document.text)) <= 256  # one window, so one call scores the document
        result = model.score(tokens=np.asarray([ids], np.int32))
        nats -= float(result["log_prob"].numpy().sum())
        hits += int((result["rank"].numpy() == 0).sum())
        top_five += int((result["rank"].numpy() < 5).sum())
        unigram -= float(np.log(counts[ids[1:]] / counts.sum()).sum())
        tokens, size = tokens + len(ids) - 1, size + len(document.text.encode())
    expected = {
        "perplexity": math.exp(nats / tokens), "bits_per_byte": nats / math.log(2) / size, "token_accuracy": hits / tokens,
        "top5_accuracy": top_five / tokens, "unigram_bits_per_byte": unigram / math.log(2) / size,
        "bits_saved_over_unigram": 1 - nats / unigram, "test_tokens": tokens, "test_bytes": size,
    }  # fmt: skip
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert metrics["bits_saved_over_unigram"] > 0  # the toy model is better than the baseline


def test_the_exports_are_measured(toy_training: Path, metrics: dict[str, float]) -> None:
    edge = toy_training / "model" / "edge" / "model.tflite"
    assert abs(metrics["edge_bits_per_byte_loss"]) < 0.02
    assert metrics["edge_megabytes"] == pytest.approx(edge.stat().st_size / 1e6, abs=1e-6)
    uncompressed = sum(path.stat().st_size for path in (toy_training / "model" / "saved_model").rglob("*") if path.is_file())
    assert 0 < metrics["saved_model_compressed_megabytes"] < uncompressed / 1e6


def test_each_metric_has_a_label_and_can_have_a_gate(metrics: dict[str, float]) -> None:
    assert set(metrics) <= set(METRICS)


def test_the_same_inputs_give_the_same_evaluation(toy_corpus: Path, toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run(toy_corpus, toy_training, toy_tokenizer, tmp_path / name) == 0
    for ending in ("", ".measured", ".continuations"):
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_the_metrics_follow_from_the_table_of_likelihoods(evaluation: Path, toy_corpus: Path, metrics: dict[str, float]) -> None:
    rows = read_likelihoods(evaluation.with_suffix(".measured"))
    assert [row.id for row in rows] == [document.id for document in read_documents(toy_corpus, "test")]
    bits = sum(row.nats for row in rows) / math.log(2) / sum(row.bytes for row in rows)
    assert metrics["bits_per_byte"] == pytest.approx(bits, abs=1e-6)


def test_each_completion_has_a_prompt_and_a_reference_from_a_document(evaluation: Path, toy_corpus: Path) -> None:
    completions = read_continuations(evaluation.with_suffix(".continuations"))
    texts = {document.id: document.text for document in read_documents(toy_corpus, "test")}
    assert len(completions) == 8
    for completion in completions:
        assert completion.prompt + completion.reference in texts[completion.document]
        assert len(completion.tokens) <= len(completion.reference_tokens)
        assert completion.stop in ("length", "end")


def test_the_likelihood_of_a_completion_is_the_one_after_its_prompt(evaluation: Path, model: LoadedModel) -> None:
    for completion in read_continuations(evaluation.with_suffix(".continuations"))[:3]:
        prompt = model.tokenizer.encode(completion.prompt)
        for ids, nats in ((completion.tokens, completion.nats), (completion.reference_tokens, completion.reference_nats)):
            tokens = np.asarray([[START, *prompt, *ids]], np.int32)
            assert nats == pytest.approx(-model.score(tokens=tokens)["log_prob"].numpy()[0, len(prompt) :].sum(), rel=1e-4)


def test_documents_that_are_too_short_for_a_prompt_are_skipped(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "short.parquet"
    write_documents(corpus, [Document("d", "g", "", split=split).with_text("the rose sleeps") for split in ("train", "test")])
    assert run(corpus, toy_training, toy_tokenizer, tmp_path / "e") == 0
    assert "warning: all held-out documents are shorter than 8 tokens, so the model completes no prompts" in capsys.readouterr().err
    assert read_continuations(tmp_path / "e.continuations") == []


def test_an_empty_test_split_is_one_line(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "c.parquet"
    write_documents(corpus, [Document("d", "g", "", split="train").with_text(verse(1))])
    assert run(corpus, toy_training, toy_tokenizer, tmp_path / "e") == 2
    assert capsys.readouterr().err.strip() == f"error: {corpus}: the test split is empty; give a corpus with more works"
    assert not (tmp_path / "e").exists()


def test_a_model_with_another_digest_is_not_loaded(
    toy_corpus: Path, toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--scrubbed", toy_corpus, "--tokenizer", toy_tokenizer, "--model", toy_training / "model", "--seed", 1]
    arguments += [
        "--model-digest",
        "0" * 64,
        "--evaluation",
        tmp_path / "e",
        "--measured",
        tmp_path / "m",
        "--continuations",
        tmp_path / "c",
    ]
    assert main([str(argument) for argument in arguments]) == 2
    assert "the content is not what its producer wrote" in capsys.readouterr().err


def test_unigram_is_add_one_smoothed_frequency() -> None:
    log_p = unigram_log_probs([[0, 1, 1], [1]], 3)
    assert np.exp(log_p) == pytest.approx([2 / 7, 4 / 7, 1 / 7])
