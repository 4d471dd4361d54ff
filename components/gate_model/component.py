"""The KFP face of gate_model."""

from kfp import dsl

GROUP = "registry"


@dsl.container_component
def gate_model(
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
    gates: list,
    decision: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    decision_digest: dsl.OutputPath(str),
    verdict: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Judge a model's evaluation by the gates of the profile; what cannot be judged is rejected, with the reason.

    Args:
        evaluation: The model's metrics (JSON).
        evaluation_digest: SHA-256 of the evaluation.
        text_metrics: What was measured on its continuations (JSON).
        text_metrics_digest: SHA-256 of text_metrics.
        model_audit: Its bias, and what it knows of planted secrets (JSON).
        model_audit_digest: SHA-256 of model_audit.
        slices: Its metrics by slice, beside the champion's (JSON).
        slices_digest: SHA-256 of slices.
        comparison: Its difference from the champion (JSON).
        comparison_digest: SHA-256 of comparison.
        gates: A metric and its bound each, {"metric", "slice", "min", "max", "against", "margin", "on_unknown"}.

    Returns:
        decision: The verdict, gate by gate, and all metrics that it rests on (JSON).
        metrics: The gated metrics, for the Kubeflow UI.
        decision_digest: SHA-256 of the decision.
        verdict: Accepted or rejected.
    """
    return dsl.ContainerSpec(
        image="robo-poet/gate_model",
        command=["python", "-m", "components.gate_model"],
        args=[
            "--evaluation", evaluation.path, "--evaluation-digest", evaluation_digest,
            "--text-metrics", text_metrics.path, "--text-metrics-digest", text_metrics_digest,
            "--model-audit", model_audit.path, "--model-audit-digest", model_audit_digest,
            "--slices", slices.path, "--slices-digest", slices_digest,
            "--comparison", comparison.path, "--comparison-digest", comparison_digest, "--gates", gates,
            "--decision", decision.path, "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
