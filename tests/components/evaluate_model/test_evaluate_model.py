import json
import math
from pathlib import Path

import numpy as np
import pytest

from components.evaluate_model.__main__ import main, unigram_log_probs
from components.evaluate_model.held_out_prompts import held_out_prompts
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


def test_the_metrics_follow_from_the_likelihood_of_each_token(
    toy_corpus: Path, toy_training: Path, toy_tokenizer: Path, model: LoadedModel, tmp_path: Path
) -> None:
    out = tmp_path / "evaluation.json"
    assert run(toy_corpus, toy_training, toy_tokenizer, out) == 0
    metrics = json.loads(out.read_text())["metrics"]
    nats, hits, five, tokens, size, unigram = 0.0, 0, 0, 0, 0, 0.0
    train = [model.tokenizer.encode_document(d.text)[1:] for d in read_documents(toy_corpus, "train")]
    counts = np.bincount(np.concatenate(train), minlength=model.tokenizer.size) + 1.0
    for document in read_documents(toy_corpus, "test"):
        ids = model.tokenizer.encode_document(document.text)[:256]
        assert len(model.tokenizer.encode_document(document.text)) <= 256  # one window: the plain way is the whole way
        result = model.score(tokens=np.asarray([ids], np.int32))
        nats -= float(result["log_prob"].numpy().sum())
        hits += int((result["rank"].numpy() == 0).sum())
        five += int((result["rank"].numpy() < 5).sum())
        unigram -= float(np.log(counts[ids[1:]] / counts.sum()).sum())
        tokens, size = tokens + len(ids) - 1, size + len(document.text.encode())
    expected = {
        "perplexity": math.exp(nats / tokens), "bits_per_byte": nats / math.log(2) / size, "token_accuracy": hits / tokens,
        "top5_accuracy": five / tokens, "unigram_bits_per_byte": unigram / math.log(2) / size, "bits_saved_over_unigram": 1 - nats / unigram,
        "test_tokens": tokens, "test_bytes": size,
    }  # fmt: skip
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert metrics["bits_saved_over_unigram"] > 0  # the toy model has learnt something
    edge = toy_training / "model" / "edge" / "model.tflite"
    assert abs(metrics["edge_bits_per_byte_loss"]) < 0.02
    assert metrics["edge_megabytes"] == pytest.approx(edge.stat().st_size / 1e6, abs=1e-6)
    saved = sum(path.stat().st_size for path in (toy_training / "model" / "saved_model").rglob("*") if path.is_file())
    assert 0 < metrics["saved_model_compressed_megabytes"] < saved / 1e6
    assert set(metrics) <= set(METRICS)  # so a gate can be set on each, and each has a name for people


def test_the_same_inputs_give_the_same_evaluation(toy_corpus: Path, toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run(toy_corpus, toy_training, toy_tokenizer, tmp_path / name) == 0
    for ending in ("", ".measured", ".continuations"):
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_the_tables_are_what_the_metrics_are_made_of(toy_corpus: Path, toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    out = tmp_path / "e"
    assert run(toy_corpus, toy_training, toy_tokenizer, out) == 0
    evaluation, rows = json.loads(out.read_text()), read_likelihoods(out.with_suffix(".measured"))
    assert [row.id for row in rows] == [document.id for document in read_documents(toy_corpus, "test")]
    bits = sum(row.nats for row in rows) / math.log(2) / sum(row.bytes for row in rows)
    assert evaluation["metrics"]["bits_per_byte"] == pytest.approx(bits, abs=1e-6)
    written = read_continuations(out.with_suffix(".continuations"))
    texts = {document.id: document.text for document in read_documents(toy_corpus, "test")}
    assert len(written) == 8
    for one in written:
        assert one.prompt + one.reference in texts[one.document]
        assert len(one.tokens) <= len(one.reference_tokens) and one.stop in ("length", "end")
    model = load_model(toy_training / "model", toy_tokenizer)
    for one in written[:3]:
        prompt = model.tokenizer.encode(one.prompt)
        for ids, nats in ((one.tokens, one.nats), (one.reference_tokens, one.reference_nats)):
            given = np.asarray([[START, *prompt, *ids]], np.int32)
            assert nats == pytest.approx(-model.score(tokens=given)["log_prob"].numpy()[0, len(prompt) :].sum(), rel=1e-4)


def test_documents_too_short_to_continue_are_not_continued(
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


def test_a_model_that_is_not_the_one_announced_is_not_loaded(
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


def test_prompts_come_from_the_text_and_its_continuation_is_the_reference(model: LoadedModel, toy_corpus: Path) -> None:
    documents = list(read_documents(toy_corpus, "test"))
    prompts = held_out_prompts(model, documents, 20, 8, 10, seed=3)
    assert len(prompts) == 20 == len({(prompt.document.id, *prompt.ids) for prompt in prompts})
    for prompt in prompts:
        opening, following = model.tokenizer.decode(prompt.ids), model.tokenizer.decode(prompt.following)
        assert len(prompt.ids) == 9 and len(prompt.following) == 10 and opening + following in prompt.document.text


def test_places_lie_apart_while_there_is_room(model: LoadedModel) -> None:
    document = Document("d", "w", "").with_text(" ".join(f"the {number} rose sleeps" for number in range(100)))
    ids = model.tokenizer.encode(document.text)
    for count, apart in ((6, True), (200, False)):
        found = held_out_prompts(model, [document], count, 8, 10, seed=1)
        starts = [next(at for at in range(len(ids)) if ids[at : at + 18] == [*one.ids[1:], *one.following]) for one in found]
        gaps = np.diff(sorted(starts))
        assert len(found) == count and (bool((gaps >= 18).all()) is apart), "where there is no room left they overlap"


def test_a_short_document_is_prompted_with_its_first_half(model: LoadedModel) -> None:
    text = "the rose sleeps and burns upon the sea"
    ids = model.tokenizer.encode(text)
    assert 8 <= len(ids) < 40
    documents = [Document(name, "w", "").with_text(said) for name, said in (("long", text), ("short", "a"))]
    for prompt in held_out_prompts(model, documents, 5, 32, 64, seed=1):
        assert prompt.document.id == "long" and prompt.ids[1:] == ids[: len(ids) // 2] and prompt.following == ids[len(ids) // 2 :]


def test_unigram_is_add_one_smoothed_frequency() -> None:
    log_p = unigram_log_probs([[0, 1, 1], [1]], 3)
    assert np.exp(log_p) == pytest.approx([2 / 7, 4 / 7, 1 / 7])
