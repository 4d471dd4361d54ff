from typing import Any

from robo_poet.report.measured import measured_run, measured_version

SUMMARY: dict[str, Any] = {
    "status": "succeeded", "seconds": 12.4, "metrics": {"bits_per_byte": 2.25}, "verdict": "accepted", "version": 3, "model": "poems",
    "source": "/home/ann/poems", "stage": "canary", "profile": "local", "changed": {"train.epochs": 10}, "settings": {"seed": 1},
    "gates": [{"metric": "bleu", "verdict": "open"}, {"metric": "perplexity", "verdict": "pass"}],
    "samples": [{"prompt": "O", "text": " sea"}],
    "outputs": {
        "ingest": {
            "parameters": {"corpus_digest": "c" * 64},
            "artifacts": {"metrics": {"metadata": {"documents": 9, "megabytes": 0.5, "other": 1}}},
        },
        "train-tokenizer": {"parameters": {"tokenizer_digest": "t" * 64}},
    },
}  # fmt: skip
NAME = "20260301T123456.789-abcd"


def test_a_run_is_read_from_its_summary() -> None:
    run = measured_run(SUMMARY, parameters={}, card={}, name=NAME)
    assert (run.model, run.version, run.corpus, run.profile, run.changed) == ("poems", 3, "/home/ann/poems", "local", {"train.epochs": 10})
    assert (run.date, run.judgement, run.open_questions) == ("2026-03-01T12:34:56", "accepted, 1 open", 1)
    assert run.counts == {"documents": 9, "megabytes": 0.5}
    assert run.digests == {"corpus": "c" * 64, "tokenizer": "t" * 64}
    assert (run.metric_text("bits_per_byte"), run.metric_text("bleu")) == ("2.250", "")


def test_a_run_without_a_summary_is_known_by_its_parameters() -> None:
    lineage = {"profile": "auto", "changed": {}, "settings": {"seed": 2}}
    run = measured_run({}, parameters={"model_name": "odes", "source": "/odes", "lineage": lineage}, card={}, name="a-run")
    assert (run.model, run.corpus, run.profile, run.changed, run.settings) == ("odes", "/odes", "auto", {}, {"seed": 2})
    assert (run.status, run.verdict, run.date, run.metrics) == ("unfinished", "", "", {})


def test_a_summary_of_an_older_release_lacks_settings_and_samples() -> None:
    old = {"status": "succeeded", "metrics": {"perplexity": 41.25}, "version": 3, "stage": "champion"}
    card = {"samples": {"drawn": [{"prompt": "O", "text": " sea"}]}, "reason": "too few works"}
    run = measured_run(old, parameters={}, card=card, name=NAME)
    assert (run.profile, run.changed, run.samples, run.reason) == ("", None, card["samples"]["drawn"], "too few works")  # type: ignore[index]
    assert run.judgement == ""


def test_a_version_is_read_from_manifest_and_card() -> None:
    manifest = {
        "metrics": {"bits_per_byte": 2.0},
        "lineage": {"source": "poems", "profile": "rtx", "changed": {"seed": 1}, "inputs": {"corpus": "c", "model": "m"}},
        "decision": {"verdict": "rejected", "reason": "bleu", "gates": [], "intervals": {"bits_per_byte": [1.9, 2.1]}},
    }
    statistics = {
        "documents": 9,
        "megabytes": 0.5,
        "splits": {"train": {"groups": 3, "documents": 7}, "test": {"groups": 1, "documents": 2}},
    }
    version = measured_version(manifest, {"data": statistics}, model="poems", number=2, stage="rejected", date="2026-03-01T12:34:56+00:00")
    assert (version.name, version.profile, version.judgement, version.reason) == ("poems/2", "rtx", "rejected", "bleu")
    assert version.digests == {"corpus": "c"}
    assert version.counts == {"documents": 9, "megabytes": 0.5, "works": 4, "train_documents": 7, "test_documents": 2}


def test_a_purged_version_has_no_measurements() -> None:
    version = measured_version({}, {}, model="poems", number=2, stage="archived", date="2026-03-01")
    assert (version.metrics, version.gates, version.samples, version.changed, version.counts) == ({}, (), (), None, {})


def test_the_method_of_semantic_similarity_is_lsa_if_an_older_release_did_not_name_it() -> None:
    metrics = {"semantic_similarity": 0.3}
    for summary, method in (
        ({"metrics": metrics, "semantic_method": "all-MiniLM-L6-v2"}, "all-MiniLM-L6-v2"), ({"metrics": metrics}, "LSA"),
        ({"metrics": metrics, "semantic_method": None}, ""), ({"metrics": {}}, ""), ({}, ""),
    ):  # fmt: skip
        assert measured_run(summary, parameters={}, card={}, name=NAME).semantic_method == method
    for card, method in (
        ({"measured_on": {"semantic_method": "all-MiniLM-L6-v2"}}, "all-MiniLM-L6-v2"), ({"measured_on": {}}, "LSA"), ({"data": {}}, "LSA"), ({}, ""),
    ):  # fmt: skip
        version = measured_version({"metrics": metrics}, card, model="poems", number=1, stage="", date="")
        assert version.semantic_method == method
