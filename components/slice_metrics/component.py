"""What slice_metrics reads and writes."""

from robo_poet.step.declaration import HTML, Artifact, Dataset, Input, Metrics, Output, View, step


@step(group="slices")
def slice_metrics(
    measured: Input[Dataset],
    champion_measured: Input[Dataset],
    settings: dict,
    seed: int,
    slices: Output[Artifact],
    page: View[HTML],
    metrics: View[Metrics],
) -> None:
    """Measure the model and the champion by slices of the test split with TFMA (EVAL-5).

    Args:
        measured: Likelihood of each held-out document under the model (Parquet).
        champion_measured: Likelihood of each held-out document under the champion; no rows if there is no champion (Parquet).
        settings: Section `slices` of the profile.
        seed: Seed of the bootstrap.

    Returns:
        slices: Metrics with intervals by slice, and the difference from the champion (JSON).
        page: The slices as a page.
        metrics: The worst slices, for the Kubeflow UI.
    """
