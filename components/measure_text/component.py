"""What measure_text reads and writes."""

from robo_poet.step.declaration import Artifact, Dataset, Input, Metrics, Output, View, step


@step(group="measure")
def measure_text(
    continuations: Input[Dataset],
    champion_continuations: Input[Dataset],
    corpus: Input[Dataset],
    scrubbed: Input[Dataset],
    audit: Input[Dataset],
    tokenizer: Input[Artifact],
    settings: dict,
    seed: int,
    text_metrics: Output[Artifact],
    metrics: View[Metrics],
) -> None:
    """Measure the model's completions of held-out prompts, beside the reference texts and the champion's completions (EVAL-2, EVAL-3).

    Args:
        continuations: Prompts with the model's completion and the reference text (Parquet).
        champion_continuations: The champion's completions of the same prompts; no rows if there is no champion (Parquet).
        corpus: The corpus before scrubbing, to search completions for the personal data that was removed. Only counts leave this step.
        scrubbed: The corpus without personal data. Its training split is searched for copied text.
        audit: Spans that scrubbing replaced (Parquet).
        tokenizer: Folder with the tokenizer.
        settings: Section `text` of the profile.
        seed: Seed of the bootstrap, the shuffled pairs and the topic model.

    Returns:
        text_metrics: Metrics with intervals of the model, the reference texts and the champion, with notes (JSON).
        metrics: The metrics, for the Kubeflow UI.
    """
