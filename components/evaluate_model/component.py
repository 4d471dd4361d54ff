"""What evaluate_model reads and writes."""

from robo_poet.step.declaration import Artifact, Dataset, Input, Metrics, Model, Output, View, step


@step(group="evaluate")
def evaluate_model(
    scrubbed: Input[Dataset],
    tokenizer: Input[Artifact],
    model: Input[Model],
    settings: dict,
    seed: int,
    evaluation: Output[Artifact],
    measured: Output[Dataset],
    continuations: Output[Dataset],
    metrics: View[Metrics],
) -> None:
    """Measure the exported model on the test split (EVAL-1).

    Args:
        scrubbed: The corpus without personal data.
        tokenizer: Folder with the tokenizer.
        model: Folder with the exported model.
        settings: Section `evaluate` of the profile.
        seed: Seed of the prompts and the completions.

    Returns:
        evaluation: Metrics with intervals and quality bands (JSON).
        measured: Likelihood of each held-out document (Parquet).
        continuations: Held-out prompts with the model's completion and the reference text (Parquet).
        metrics: The metrics, for the Kubeflow UI.
    """
