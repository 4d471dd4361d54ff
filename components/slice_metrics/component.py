"""The KFP face of slice_metrics."""

from kfp import dsl

GROUP = "slices"


@dsl.container_component
def slice_metrics(
    measured: dsl.Input[dsl.Dataset],
    measured_digest: str,
    champion_measured: dsl.Input[dsl.Dataset],
    champion_measured_digest: str,
    settings: dict,
    seed: int,
    slices: dsl.Output[dsl.Artifact],
    slices_digest: dsl.OutputPath(str),
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
):
    """Measure the model by slices of the test split, beside the champion.

    Args:
        measured: How likely the model finds each held-out document.
        measured_digest: Its digest, checked before it is read.
        champion_measured: The same of the champion, on the same documents; without rows where there is none.
        champion_measured_digest: Its digest, checked before it is read.
        settings: Section `slices` of the profile.
        seed: Seed of the bootstrap.

    Returns:
        slices: Metrics with intervals by slice, and the difference from the champion, as JSON.
        slices_digest: SHA-256 of slices.
        page: The slices as a page.
        metrics: The worst slices, for the Kubeflow UI.
    """
    return dsl.ContainerSpec(
        image="robo-poet/slice_metrics",
        command=["python", "-m", "components.slice_metrics"],
        args=[
            "--measured", measured.path, "--measured-digest", measured_digest,
            "--champion-measured", champion_measured.path, "--champion-measured-digest", champion_measured_digest,
            "--settings", settings, "--seed", seed, "--slices", slices.path, "--page", page.path, "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
