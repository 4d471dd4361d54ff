"""The KFP face of write_report."""

from kfp import dsl

GROUP = "report"


@dsl.container_component
def write_report(
    statistics: dsl.Input[dsl.Artifact],
    statistics_digest: str,
    history: dsl.Input[dsl.Artifact],
    history_digest: str,
    evaluation: dsl.Input[dsl.Artifact],
    evaluation_digest: str,
    decision: dsl.Input[dsl.Artifact],
    decision_digest: str,
    lineage: dict,
    report: dsl.Output[dsl.HTML],
    report_digest: dsl.OutputPath(str),
    summary: dsl.Output[dsl.Markdown],
):
    """Write the report of a training: verdict, metrics, samples, curves, corpus.

    Args:
        statistics: What the corpus is like, from validate_data.
        statistics_digest: Its digest, checked before it is read.
        history: The training curve, from train_model.
        history_digest: Its digest, checked before it is read.
        evaluation: Metrics and samples, from evaluate_model.
        evaluation_digest: Its digest, checked before it is read.
        decision: The gates' verdict, from gate_model.
        decision_digest: Its digest, checked before it is read.
        lineage: What the model was made from: source, settings, code.

    Returns:
        report: One self-contained HTML page.
        report_digest: SHA-256 of report.
        summary: The verdict and the metrics as Markdown.
    """
    return dsl.ContainerSpec(
        image="robo-poet/write_report",
        command=["python", "-m", "components.write_report"],
        args=[
            "--statistics", statistics.path, "--statistics-digest", statistics_digest,
            "--history", history.path, "--history-digest", history_digest,
            "--evaluation", evaluation.path, "--evaluation-digest", evaluation_digest,
            "--decision", decision.path, "--decision-digest", decision_digest,
            "--lineage", lineage,
            "--report", report.path, "--summary", summary.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
