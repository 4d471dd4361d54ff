"""What gate_model reads and writes."""

from robo_poet.step.declaration import Artifact, Input, Metrics, Output, Result, View, step


@step(group="registry")
def gate_model(
    evaluation: Input[Artifact],
    text_metrics: Input[Artifact],
    model_audit: Input[Artifact],
    slices: Input[Artifact],
    comparison: Input[Artifact],
    history: Input[Artifact],
    gates: list,
    remedies: dict,
    decision: Output[Artifact],
    metrics: View[Metrics],
    verdict: Result[str],
    open_questions: Result[str],
) -> None:
    """Judge the evaluation by the gates of the profile (EVAL-6).

    A gate that cannot be judged fails, with the reason. With `on_unknown: warn` it is an open question if only the amount was too small.

    Args:
        evaluation: Metrics on the test split (JSON).
        text_metrics: Metrics of the completions (JSON).
        model_audit: Bias metrics, and what the model reveals of planted canary strings (JSON).
        slices: Metrics by slice, with the champion's (JSON).
        comparison: Difference from the champion (JSON).
        history: The training curve (JSON lines). Its last point says whether early stopping ended the training.
        gates: List of gates, each {"metric", "slice", "min", "max", "against", "margin", "on_unknown"}.
        remedies: The setting to change if a gate fails, by cause and metric; the causes are quality, amount, missing and converged.

    Returns:
        decision: The verdict, the result of each gate, and all metrics that were judged (JSON).
        metrics: The gated metrics, for the Kubeflow UI.
        verdict: `accepted` or `rejected`.
        open_questions: The open gates, with what was needed and what was there (a JSON list). An accepted model may have some.
    """
