"""What validate_data reads and writes."""

from robo_poet.step.declaration import HTML, Artifact, Dataset, Input, Metrics, Output, View, step


@step(group="validate")
def validate_data(
    corpus: Input[Dataset],
    seed: int,
    settings: dict,
    statistics: Output[Artifact],
    page: View[HTML],
    metrics: View[Metrics],
) -> None:
    """Check the corpus against a schema and against limits. An anomaly stops the run where the profile says so (DATA-1, DATA-2).

    Args:
        corpus: The corpus (Parquet).
        seed: Seed of the samples for the type/token ratio.
        settings: Section `validation` of the profile.

    Returns:
        statistics: Measured values, and the verdict of each check (JSON).
        page: The same as a page. It is written before a failed check stops the run.
        metrics: The measured numbers.
    """
