"""What compare_champion reads and writes."""

from robo_poet.step.declaration import Artifact, Dataset, Input, Metrics, Output, View, step


@step(group="evaluate")
def compare_champion(
    scrubbed: Input[Dataset],
    measured: Input[Dataset],
    continuations: Input[Dataset],
    registry: str,
    model_name: str,
    champion: str,
    settings: dict,
    seed: int,
    champion_measured: Output[Dataset],
    champion_continuations: Output[Dataset],
    comparison: Output[Artifact],
    metrics: View[Metrics],
) -> None:
    """Compare the new model with the champion on the same held-out documents and the same prompts.

    Args:
        scrubbed: The corpus without personal data.
        measured: Likelihood of each held-out document under the new model (Parquet).
        continuations: The new model's completions. The champion continues the same prompts (Parquet).
        registry: Folder of the registry, or gs://bucket/prefix.
        model_name: Name of the model in the registry.
        champion: Digest of the champion at submission; `none` if there is no champion; empty to ask the registry when the step runs.
        settings: Section `compare` of the profile.
        seed: Seed of the bootstrap.

    Returns:
        champion_measured: Likelihood of each held-out document under the champion; no rows if there is no champion (Parquet).
        champion_continuations: The champion's completions; no rows if there is no champion (Parquet).
        comparison: Difference in bits per byte with its interval, and the verdict (JSON).
        metrics: The difference, for the Kubeflow UI.
    """
