"""The KFP face of register_model."""

from kfp import dsl

GROUP = "registry"


@dsl.container_component
def register_model(
    model: dsl.Input[dsl.Model],
    model_digest: str,
    tokenizer: dsl.Input[dsl.Artifact],
    tokenizer_digest: str,
    evaluation: dsl.Input[dsl.Artifact],
    evaluation_digest: str,
    decision: dsl.Input[dsl.Artifact],
    decision_digest: str,
    statistics: dsl.Input[dsl.Artifact],
    statistics_digest: str,
    report: dsl.Input[dsl.HTML],
    report_digest: str,
    card: dsl.Input[dsl.Artifact],
    card_digest: str,
    corpus_digest: str,
    scrubbed_digest: str,
    registry: str,
    lineage: dict,
    who: str,
    version: dsl.OutputPath(int),
    stage: dsl.OutputPath(str),
    version_digest: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Make the model a version of the registry: a candidate, or rejected with the gates' reason. The same content is the same version.

    Args:
        model: Folder with the SavedModel.
        model_digest: SHA-256 of the model.
        tokenizer: Folder with the tokenizer.
        tokenizer_digest: SHA-256 of the tokenizer.
        evaluation: The model's metrics (JSON).
        evaluation_digest: SHA-256 of the evaluation.
        decision: The gates' verdict (JSON).
        decision_digest: SHA-256 of the decision.
        statistics: The corpus's statistics (JSON).
        statistics_digest: SHA-256 of the statistics.
        report: The model card (HTML).
        report_digest: SHA-256 of the report.
        card: The model card (JSON).
        card_digest: SHA-256 of the card.
        corpus_digest: SHA-256 of the corpus as ingested.
        scrubbed_digest: SHA-256 of the corpus the model was trained on.
        registry: Folder of the registry; made if it does not exist.
        lineage: What the model was made from, such as seed, code, settings.
        who: For the registry's log.

    Returns:
        version: Number of the version, from 1.
        stage: Its stage now, candidate or rejected if it is new.
        version_digest: SHA-256 of its manifest.
    """
    return dsl.ContainerSpec(
        image="robo-poet/register_model",
        command=["python", "-m", "components.register_model"],
        args=[
            "--model", model.path, "--model-digest", model_digest,
            "--tokenizer", tokenizer.path, "--tokenizer-digest", tokenizer_digest,
            "--evaluation", evaluation.path, "--evaluation-digest", evaluation_digest,
            "--decision", decision.path, "--decision-digest", decision_digest,
            "--statistics", statistics.path, "--statistics-digest", statistics_digest,
            "--report", report.path, "--report-digest", report_digest,
            "--card", card.path, "--card-digest", card_digest,
            "--corpus-digest", corpus_digest, "--scrubbed-digest", scrubbed_digest,
            "--registry", registry, "--lineage", lineage, "--who", who,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
