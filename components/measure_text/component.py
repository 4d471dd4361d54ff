"""The KFP face of measure_text."""

from kfp import dsl

GROUP = "measure"


@dsl.container_component
def measure_text(
    continuations: dsl.Input[dsl.Dataset],
    continuations_digest: str,
    champion_continuations: dsl.Input[dsl.Dataset],
    champion_continuations_digest: str,
    corpus: dsl.Input[dsl.Dataset],
    corpus_digest: str,
    scrubbed: dsl.Input[dsl.Dataset],
    scrubbed_digest: str,
    audit: dsl.Input[dsl.Dataset],
    audit_digest: str,
    tokenizer: dsl.Input[dsl.Artifact],
    tokenizer_digest: str,
    settings: dict,
    seed: int,
    text_metrics: dsl.Output[dsl.Artifact],
    text_metrics_digest: dsl.OutputPath(str),
    metrics: dsl.Output[dsl.Metrics],
):
    """Judge what the model wrote after held-out prompts, beside what people and the champion wrote there.

    Args:
        continuations: Prompts, what the model wrote, what really follows.
        continuations_digest: Its digest, checked before it is read.
        champion_continuations: What the champion wrote after the same prompts; without rows if there is no champion.
        champion_continuations_digest: Its digest, checked before it is read.
        corpus: The corpus before scrubbing: what was taken out of it should not be written. Counts alone leave this step.
        corpus_digest: Its digest, checked before it is read.
        scrubbed: The corpus without personal data; its training split is what may have been copied.
        scrubbed_digest: Its digest, checked before it is read.
        audit: Where scrubbing took something out.
        audit_digest: Its digest, checked before it is read.
        tokenizer: The tokenizer.
        tokenizer_digest: Its digest, checked before it is read.
        settings: Section `text` of the profile.
        seed: Seed of resamples, shuffled pairs and fitted spaces.

    Returns:
        text_metrics: Metrics with intervals, people's figures beside them, notes, as JSON.
        text_metrics_digest: SHA-256 of text_metrics.
        metrics: The metrics, for the Kubeflow UI.
    """
    return dsl.ContainerSpec(
        image="robo-poet/measure_text",
        command=["python", "-m", "components.measure_text"],
        args=[
            "--continuations", continuations.path, "--continuations-digest", continuations_digest,
            "--champion-continuations", champion_continuations.path, "--champion-continuations-digest", champion_continuations_digest,
            "--corpus", corpus.path, "--corpus-digest", corpus_digest,
            "--scrubbed", scrubbed.path, "--scrubbed-digest", scrubbed_digest, "--audit", audit.path, "--audit-digest", audit_digest,
            "--tokenizer", tokenizer.path, "--tokenizer-digest", tokenizer_digest,
            "--settings", settings, "--seed", seed, "--text-metrics", text_metrics.path, "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
