"""The KFP face of audit_model."""

from kfp import dsl

GROUP = "evaluate"


@dsl.container_component
def audit_model(
    tokenizer: dsl.Input[dsl.Artifact],
    tokenizer_digest: str,
    model: dsl.Input[dsl.Model],
    model_digest: str,
    settings: dict,
    seed: int,
    model_audit: dsl.Output[dsl.Artifact],
    model_audit_digest: dsl.OutputPath(str),
    metrics: dsl.Output[dsl.Metrics],
):
    """Measure bias between counterfactual groups, and what the model knows of planted secrets.

    Args:
        tokenizer: The tokenizer.
        tokenizer_digest: Its digest, checked before it is read.
        model: The exported model.
        model_digest: Its digest, checked before it is loaded.
        settings: Section `audit` of the profile.
        seed: Seed of pairs and completions, and of the secrets that were planted.

    Returns:
        model_audit: Metrics, and the gaps of each group, as JSON.
        model_audit_digest: SHA-256 of model_audit.
        metrics: The metrics, for the Kubeflow UI.
    """
    return dsl.ContainerSpec(
        image="robo-poet/audit_model",
        command=["python", "-m", "components.audit_model"],
        args=[
            "--tokenizer", tokenizer.path, "--tokenizer-digest", tokenizer_digest,
            "--model", model.path, "--model-digest", model_digest,
            "--settings", settings, "--seed", seed, "--model-audit", model_audit.path, "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
