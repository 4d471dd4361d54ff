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
    text_metrics: dsl.Input[dsl.Artifact],
    text_metrics_digest: str,
    model_audit: dsl.Input[dsl.Artifact],
    model_audit_digest: str,
    slices: dsl.Input[dsl.Artifact],
    slices_digest: str,
    comparison: dsl.Input[dsl.Artifact],
    comparison_digest: str,
    continuations: dsl.Input[dsl.Dataset],
    continuations_digest: str,
    decision: dsl.Input[dsl.Artifact],
    decision_digest: str,
    lineage: dict,
    report: dsl.Output[dsl.HTML],
    report_digest: dsl.OutputPath(str),
    card: dsl.Output[dsl.Artifact],
    card_digest: dsl.OutputPath(str),
    summary: dsl.Output[dsl.Markdown],
):
    """Write the model card of a training: verdict, metrics, slices, bias, safety, samples, curves, data, lineage.

    Args:
        statistics: What the corpus is like, from validate_data.
        statistics_digest: Its digest, checked before it is read.
        history: The training curve, from train_model.
        history_digest: Its digest, checked before it is read.
        evaluation: Metrics and samples, from evaluate_model.
        evaluation_digest: Its digest, checked before it is read.
        text_metrics: What was measured on its continuations, from measure_text.
        text_metrics_digest: Its digest, checked before it is read.
        model_audit: Bias and planted secrets, from audit_model.
        model_audit_digest: Its digest, checked before it is read.
        slices: Metrics by slice, from slice_metrics.
        slices_digest: Its digest, checked before it is read.
        comparison: Difference from the champion, from compare_champion.
        comparison_digest: Its digest, checked before it is read.
        continuations: What it wrote, from evaluate_model.
        continuations_digest: Its digest, checked before it is read.
        decision: The gates' verdict, from gate_model.
        decision_digest: Its digest, checked before it is read.
        lineage: What the model was made from: source, settings, code.

    Returns:
        report: The model card, one self-contained HTML page.
        report_digest: SHA-256 of report.
        card: The same as JSON.
        card_digest: SHA-256 of card.
        summary: The verdict and the metrics as Markdown.
    """
    return dsl.ContainerSpec(
        image="robo-poet/write_report",
        command=["python", "-m", "components.write_report"],
        args=[
            "--statistics", statistics.path, "--statistics-digest", statistics_digest,
            "--history", history.path, "--history-digest", history_digest,
            "--evaluation", evaluation.path, "--evaluation-digest", evaluation_digest,
            "--text-metrics", text_metrics.path, "--text-metrics-digest", text_metrics_digest,
            "--model-audit", model_audit.path, "--model-audit-digest", model_audit_digest,
            "--slices", slices.path, "--slices-digest", slices_digest,
            "--comparison", comparison.path, "--comparison-digest", comparison_digest,
            "--continuations", continuations.path, "--continuations-digest", continuations_digest,
            "--decision", decision.path, "--decision-digest", decision_digest,
            "--lineage", lineage,
            "--report", report.path, "--card", card.path, "--summary", summary.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
