"""The KFP face of gate_model."""

from kfp import dsl

GROUP = "registry"


@dsl.container_component
def gate_model(
    evaluation: dsl.Input[dsl.Artifact],
    evaluation_digest: str,
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
        gates: A metric and its bound each, {"metric", "min", "max"}.

    Returns:
        decision: The verdict, gate by gate (JSON).
        metrics: The gated metrics, for the Kubeflow UI.
        decision_digest: SHA-256 of the decision.
        verdict: Accepted or rejected.
    """
    return dsl.ContainerSpec(
        image="robo-poet/gate_model",
        command=["python", "-m", "components.gate_model"],
        args=[
            "--evaluation", evaluation.path, "--evaluation-digest", evaluation_digest, "--gates", gates,
            "--decision", decision.path, "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
