"""The KFP face of evaluate_model."""

from kfp import dsl

GROUP = "evaluate"


@dsl.container_component
def evaluate_model(
    scrubbed: dsl.Input[dsl.Dataset],
    scrubbed_digest: str,
    tokenizer: dsl.Input[dsl.Artifact],
    tokenizer_digest: str,
    model: dsl.Input[dsl.Model],
    model_digest: str,
    settings: dict,
    seed: int,
    evaluation: dsl.Output[dsl.Artifact],
    evaluation_digest: dsl.OutputPath(str),
    measured: dsl.Output[dsl.Dataset],
    measured_digest: dsl.OutputPath(str),
    continuations: dsl.Output[dsl.Dataset],
    continuations_digest: dsl.OutputPath(str),
    metrics: dsl.Output[dsl.Metrics],
):
    """Measure the exported model on the test split.

    Args:
        scrubbed: The corpus without personal data.
        scrubbed_digest: Its digest, checked before it is read.
        tokenizer: The tokenizer.
        tokenizer_digest: Its digest, checked before it is read.
        model: The exported model.
        model_digest: Its digest, checked before it is loaded.
        settings: Section `evaluate` of the profile.
        seed: Seed of prompts and completions.

    Returns:
        evaluation: Metrics with intervals, bands and samples, as JSON.
        evaluation_digest: SHA-256 of evaluation.
        measured: Likelihood of each held-out document (Parquet).
        measured_digest: SHA-256 of measured.
        continuations: Held-out prompts continued by the model, beside what people wrote (Parquet).
        continuations_digest: SHA-256 of continuations.
        metrics: The metrics, for the Kubeflow UI.
    """
    return dsl.ContainerSpec(
        image="robo-poet/evaluate_model",
        command=["python", "-m", "components.evaluate_model"],
        args=[
            "--scrubbed", scrubbed.path, "--scrubbed-digest", scrubbed_digest,
            "--tokenizer", tokenizer.path, "--tokenizer-digest", tokenizer_digest,
            "--model", model.path, "--model-digest", model_digest,
            "--settings", settings, "--seed", seed, "--evaluation", evaluation.path,
            "--measured", measured.path, "--continuations", continuations.path, "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
