"""What audit_model reads and writes."""

from robo_poet.step.declaration import Artifact, Input, Metrics, Model, Output, View, step


@step(group="evaluate")
def audit_model(
    tokenizer: Input[Artifact],
    model: Input[Model],
    settings: dict,
    seed: int,
    model_audit: Output[Artifact],
    metrics: View[Metrics],
) -> None:
    """Measure bias between counterfactual groups, and how much the model reveals of planted canary strings (EVAL-4).

    Args:
        tokenizer: Folder with the tokenizer.
        model: Folder with the exported model.
        settings: Section `audit` of the profile.
        seed: Seed of the pairs, the completions and the planted canary strings.

    Returns:
        model_audit: Metrics with intervals, and the gap of each group (JSON).
        metrics: The metrics, for the Kubeflow UI.
    """
