"""The training pipeline: from a corpus to a registered version, which becomes the canary if the gates accept it."""

from collections.abc import Callable
from typing import Any

from kfp import dsl

from pipelines import steps
from pipelines.placement import Placement

NAME = "robo-poet-training"


def training_pipeline(placement: Placement, *, moving_source: bool = False, moving_champion: bool = False) -> Callable[..., Any]:
    """Return the KFP pipeline, its tasks configured by `placement`. Every input is a parameter of the run.

    Args:
        moving_source: do not cache the ingestion: each run reads the source again. Later steps use the cache if the corpus is
            unchanged. Meant for a schedule over a growing corpus.
        moving_champion: do not cache the comparison: each run reads the champion from the registry.

    1. Ingest the corpus: bundled texts, or the user's corpus.
    2. Validate the corpus and, in parallel, scrub personal data.
    3. Train a tokenizer, then the model, on the training split.
    4. Evaluate the exported model on the test split: likelihood and completions. In parallel, audit it for bias and memorisation.
       Compare it with the champion on the same documents and prompts, measure the texts of both, and slice their likelihoods.
    5. Judge the metrics by the gates, and write the model card.
    6. Register the version: a candidate, or rejected with the reason.
    7. If the gates accepted the version, deploy it: as the first champion, or as a canary next to the champion.
    """

    @dsl.pipeline(name=NAME, display_name="Train a poet", description="Corpus → validated, scrubbed → model → gates → registry → canary.")
    def training(
        source: str,
        source_digest: str,
        seed: int,
        ingest: dict,
        validation: dict,
        scrub: dict,
        tokenizer: dict,
        train: dict,
        warm_start: str,
        warm_start_digest: str,
        secrets: dict,
        evaluate: dict,
        text: dict,
        audit: dict,
        compare: dict,
        slices: dict,
        champion: str,
        gates: list,
        checkpoint_root: str,
        registry: str,
        lineage: dict,
        who: str,
    ) -> None:
        """Corpus → validated, scrubbed → model → gates → registry → canary.

        Args:
            source: Corpus of your own, gs://bucket/prefix; empty for the bundled one.
            source_digest: Digest of the source at submission; empty to take what is there when the run begins.
            seed: Decides the split, the samples and the training; the same seed and inputs give the same model.
            ingest: Section `ingest` of the profile: which corpora, which columns, the splits.
            validation: Section `validation`: limits of the corpus, and whether passing one warns or stops.
            scrub: Section `scrub`: the privacy policy of each source.
            tokenizer: Section `tokenizer`: size of the vocabulary.
            train: Section `train`: size of the model, and how it learns.
            warm_start: Model folder of the version that training begins with; empty to begin anew.
            warm_start_digest: Its digest at submission.
            secrets: Section `audit.secrets`: made secrets in the training's copy of the text, to measure what a model keeps.
            evaluate: Section `evaluate`: how much is measured and sampled.
            text: Section `text`: how its texts are judged.
            audit: Section `audit`: bias, and planted secrets.
            compare: Section `compare`: how it is compared with the champion.
            slices: Section `slices`: by what held-out text is divided.
            champion: Digest of the champion at submission; none if there is no champion; empty to ask the registry.
            gates: A metric and its bound each; a model that fails one is registered as rejected.
            checkpoint_root: Folder of checkpoints, on the claim mounted there.
            registry: Folder of the model registry, on the claim mounted there.
            lineage: What the version is made from, for its manifest: source, digests of code, settings.
            who: Who submitted the run, for the registry's log.
        """
        read = placement(steps.ingest(source=source, source_digest=source_digest, seed=seed, settings=ingest), "Ingest corpus")
        if moving_source:
            read.set_caching_options(False)
        corpus = {"corpus": read.outputs["corpus"], "corpus_digest": read.outputs["corpus_digest"]}

        validated = placement(steps.validate_data(**corpus, seed=seed, settings=validation), "Validate data")
        scrubbing = placement(steps.scrub_pii(**corpus, settings=scrub), "Scrub personal data")
        scrubbed = {"scrubbed": scrubbing.outputs["scrubbed"], "scrubbed_digest": scrubbing.outputs["scrubbed_digest"]}

        words = placement(
            steps.train_tokenizer(**scrubbed, validated=validated.outputs["statistics_digest"], settings=tokenizer), "Train tokenizer"
        )
        vocabulary = {"tokenizer": words.outputs["tokenizer"], "tokenizer_digest": words.outputs["tokenizer_digest"]}

        trained = placement(
            steps.train_model(
                **scrubbed, **vocabulary, settings=train, seed=seed, checkpoint_root=checkpoint_root,
                warm_start=warm_start, warm_start_digest=warm_start_digest, secrets=secrets,
            ), "Train model",
        )  # fmt: skip
        model = {"model": trained.outputs["model"], "model_digest": trained.outputs["model_digest"]}

        def made(task: dsl.PipelineTask, *names: str) -> dict[str, Any]:
            return {key: task.outputs[key] for name in names for key in (name, f"{name}_digest")}

        measured = placement(steps.evaluate_model(**scrubbed, **vocabulary, **model, settings=evaluate, seed=seed), "Evaluate model")
        audited = placement(steps.audit_model(**vocabulary, **model, settings=audit, seed=seed), "Audit model")
        compared = placement(
            steps.compare_champion(
                **scrubbed, **made(measured, "measured", "continuations"), registry=registry, champion=champion, settings=compare, seed=seed
            ), "Compare with champion",
        )  # fmt: skip
        if moving_champion:
            compared.set_caching_options(False)
        texts = {**made(measured, "continuations"), **made(compared, "champion_continuations")}
        read_text = placement(
            steps.measure_text(**texts, **corpus, **scrubbed, **made(scrubbing, "audit"), **vocabulary, settings=text, seed=seed),
            "Measure texts",
        )
        sliced = placement(
            steps.slice_metrics(**made(measured, "measured"), **made(compared, "champion_measured"), settings=slices, seed=seed),
            "Slice metrics",
        )
        evidence = {
            **made(measured, "evaluation"), **made(read_text, "text_metrics"), **made(audited, "model_audit"), **made(sliced, "slices"),
            **made(compared, "comparison"),
        }  # fmt: skip
        judged = placement(steps.gate_model(**evidence, gates=gates), "Judge by the gates")
        decision, statistics = made(judged, "decision"), made(validated, "statistics")
        reported = placement(
            steps.write_report(
                **statistics, **made(trained, "history"), **evidence, **made(measured, "continuations"), **decision, lineage=lineage
            ), "Write model card",
        )  # fmt: skip

        # Registration and deployment change the registry, so they are never cached. Both are idempotent.
        registered = placement(
            steps.register_model(
                **model, **vocabulary, **made(measured, "evaluation"), **decision, **statistics, **made(reported, "report", "card"),
                corpus_digest=read.outputs["corpus_digest"], scrubbed_digest=scrubbing.outputs["scrubbed_digest"],
                registry=registry, lineage=lineage, who=who,
            ), "Register version",
        ).set_caching_options(False)  # fmt: skip
        with dsl.If(judged.outputs["verdict"] == "accepted", name="Accepted by the gates"):
            placement(
                steps.deploy_canary(
                    registry=registry, version=registered.outputs["version"],
                    version_digest=registered.outputs["version_digest"], who=who,
                ), "Deploy canary",
            ).set_caching_options(False)  # fmt: skip

    return training  # type: ignore[no-any-return]  # KFP's decorator is untyped
