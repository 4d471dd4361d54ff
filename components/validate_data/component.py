"""The KFP face of validate_data: the corpus in; its statistics, or the reason why the run stops, out."""

from kfp import dsl

GROUP = "validate"


@dsl.container_component
def validate_data(
    corpus: dsl.Input[dsl.Dataset],
    corpus_digest: str,
    seed: int,
    settings: dict,
    statistics: dsl.Output[dsl.Artifact],
    statistics_digest: dsl.OutputPath(str),
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> dsl.ContainerSpec:
    """Check the corpus against a schema and against limits; stop the run where the profile says so.

    Args:
        corpus: The corpus.
        corpus_digest: Its SHA-256, checked.
        seed: Decides the samples that the type/token ratio is measured on.
        settings: Section `validate` of the profile.

    Returns:
        statistics: What was measured, and the verdict of each check, as JSON.
        statistics_digest: SHA-256 of it.
        page: The same for people, written before a failed check stops the run.
        metrics: The measured numbers.
    """
    return dsl.ContainerSpec(
        image="robo-poet/validate_data",
        command=["python", "-m", "components.validate_data"],
        args=[
            "--corpus", corpus.path,
            "--corpus-digest", corpus_digest,
            "--seed", seed,
            "--settings", settings,
            "--statistics", statistics.path,
            "--page", page.path,
            "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
