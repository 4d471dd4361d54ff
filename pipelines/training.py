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
        moving_champion: do not cache the comparisons with the champion and with its corpus: each run reads it from the registry.

    1. Ingest the corpus: bundled texts, or the user's corpus.
    2. Validate the corpus, also against that of the champion and against prompts, and, in parallel, scrub personal data.
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
        suppression: str,
        suppression_digest: str,
        live_text: str,
        live_text_digest: str,
        seed: int,
        ingest: dict,
        schema: str,
        prompts: str,
        validation: dict,
        scrub: dict,
        beam: dict,
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
        remedies: dict,
        checkpoint_root: str,
        registry: str,
        model_name: str,
        same_model: int,
        lineage: dict,
        who: str,
    ) -> None:
        """Train a model from a corpus, evaluate it, and register it. If the gates accept it, deploy it as a canary.
        Args:
            source: Address of the user's corpus, such as gs://bucket/prefix. Empty for the bundled corpora.
            source_digest: Digest of the source at submission. Empty to read the source when the run starts.
            suppression: Folder of the list of deleted documents, which ingest does not read again. Empty for no list.
            suppression_digest: Digest of this list at submission.
            live_text: File of prompts with consent, which ingest reads beside the source. Empty for none.
            live_text_digest: Digest of this file at submission.
            seed: Random seed of the split, the training and the samples. The same seed and inputs give the same model.
            ingest: Section `ingest` of the profile: corpora, columns and splits.
            schema: TFDV schema of the corpus, in text format. Empty for the curated schema of the step.
            prompts: Text of the snapshot of prompts, whose digest is in `validation`. Empty for no comparison with prompts.
            validation: Section `validation`: limits of the corpus, and whether a violation warns or stops the run.
            scrub: Section `scrub`: privacy policy of each source.
            beam: Section `beam`: what runs the search for duplicates, the measurement of the documents and the search for personal data.
            tokenizer: Section `tokenizer`: vocabulary size.
            train: Section `train`: model size and training settings.
            warm_start: Model folder of the version whose weights start the training. Empty for random weights.
            warm_start_digest: Digest of this folder at submission.
            secrets: Section `audit.secrets`: canary strings that are planted in the training text to measure memorisation.
            evaluate: Section `evaluate`: number of documents and samples to evaluate.
            text: Section `text`: settings of the text metrics.
            audit: Section `audit`: tests for bias and for planted canary strings.
            compare: Section `compare`: settings of the comparison with the champion.
            slices: Section `slices`: columns by which the held-out documents are sliced.
            champion: Digest of the champion at submission. `none` if there is no champion. Empty to read it from the registry.
            gates: List of gates, each with a metric and a bound. A model that fails a gate is registered as rejected.
            remedies: The setting to change if a gate fails, by cause and metric.
            checkpoint_root: Folder of the checkpoints, where the checkpoint claim is mounted.
            registry: The model registry: gs://bucket/prefix, or the folder where the registry claim is mounted.
            model_name: Name of the model in the registry. Each model has its own versions, champion and canary.
            same_model: 1 to accept a corpus from another address as the same model; 0 to refuse it.
            lineage: Origin of the version for its manifest: source, digests of the code, settings.
            who: User who submitted the run, for the log of the registry.
        """
        deleted = {"suppression": suppression, "suppression_digest": suppression_digest}
        live = {"live_text": live_text, "live_text_digest": live_text_digest}
        read = placement(steps.ingest(source=source, source_digest=source_digest, **deleted, **live, seed=seed, settings=ingest, beam=beam))
        if moving_source:
            read.set_caching_options(False)
        corpus = {"corpus": read.outputs["corpus"], "corpus_digest": read.outputs["corpus_digest"]}

        known = {"registry": registry, "model_name": model_name, "champion": champion}
        validated = placement(
            steps.validate_data(**corpus, seed=seed, schema=schema, **known, prompts=prompts, settings=validation, beam=beam)
        )
        if moving_champion:
            validated.set_caching_options(False)
        scrubbing = placement(steps.scrub_pii(**corpus, seed=seed, settings=scrub, beam=beam))
        scrubbed = {"scrubbed": scrubbing.outputs["scrubbed"], "scrubbed_digest": scrubbing.outputs["scrubbed_digest"]}

        words = placement(steps.train_tokenizer(**scrubbed, validated=validated.outputs["statistics_digest"], settings=tokenizer))
        vocabulary = {"tokenizer": words.outputs["tokenizer"], "tokenizer_digest": words.outputs["tokenizer_digest"]}

        trained = placement(
            steps.train_model(
                **scrubbed, **vocabulary, settings=train, seed=seed, checkpoint_root=checkpoint_root,
                warm_start=warm_start, warm_start_digest=warm_start_digest, secrets=secrets,
            )
        )  # fmt: skip
        model = {"model": trained.outputs["model"], "model_digest": trained.outputs["model_digest"]}

        def made(task: dsl.PipelineTask, *names: str) -> dict[str, Any]:
            return {key: task.outputs[key] for name in names for key in (name, f"{name}_digest")}

        measured = placement(steps.evaluate_model(**scrubbed, **vocabulary, **model, settings=evaluate, seed=seed))
        audited = placement(steps.audit_model(**vocabulary, **model, settings=audit, seed=seed))
        compared = placement(
            steps.compare_champion(
                **scrubbed, **made(measured, "measured", "continuations"), **known, settings=compare, seed=seed,
            )
        )  # fmt: skip
        if moving_champion:
            compared.set_caching_options(False)
        texts = {**made(measured, "continuations"), **made(compared, "champion_continuations")}
        read_text = placement(
            steps.measure_text(**texts, **corpus, **scrubbed, **made(scrubbing, "audit"), **vocabulary, settings=text, seed=seed)
        )
        sliced = placement(
            steps.slice_metrics(**made(measured, "measured"), **made(compared, "champion_measured"), settings=slices, seed=seed)
        )
        evidence = {
            **made(measured, "evaluation"), **made(read_text, "text_metrics"), **made(audited, "model_audit"), **made(sliced, "slices"),
            **made(compared, "comparison"),
        }  # fmt: skip
        judged = placement(steps.gate_model(**evidence, **made(trained, "history"), gates=gates, remedies=remedies))
        decision, statistics = made(judged, "decision"), made(validated, "statistics")
        measured_data = {**statistics, **made(validated, "drift", "prompt_skew"), **made(read, "dropped"), **made(scrubbing, "recall")}
        reported = placement(
            steps.write_report(
                **measured_data, **made(trained, "history"), **evidence, **texts, **decision,
                lineage=lineage,
            )
        )  # fmt: skip

        # Registration and deployment change the registry, so they are never cached. Both are idempotent.
        registered = placement(
            steps.register_model(
                **model, **vocabulary, **made(measured, "evaluation"), **decision, **statistics, **made(reported, "report", "card"),
                corpus_digest=read.outputs["corpus_digest"], scrubbed_digest=scrubbing.outputs["scrubbed_digest"],
                registry=registry, model_name=model_name, source=source, same_model=same_model, lineage=lineage, who=who,
            )
        ).set_caching_options(False)  # fmt: skip
        with dsl.If(judged.outputs["verdict"] == "accepted", name="the gates accepted the model"):
            placement(
                steps.deploy_canary(
                    registry=registry, model_name=model_name, version=registered.outputs["version"],
                    version_digest=registered.outputs["version_digest"], who=who,
                )
            ).set_caching_options(False)  # fmt: skip

    return training  # type: ignore[no-any-return]  # KFP's decorator is untyped
