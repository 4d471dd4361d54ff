"""The KFP face of compare_champion."""

from kfp import dsl

GROUP = "evaluate"


@dsl.container_component
def compare_champion(
    scrubbed: dsl.Input[dsl.Dataset],
    scrubbed_digest: str,
    measured: dsl.Input[dsl.Dataset],
    measured_digest: str,
    continuations: dsl.Input[dsl.Dataset],
    continuations_digest: str,
    registry: str,
    champion: str,
    settings: dict,
    seed: int,
    champion_measured: dsl.Output[dsl.Dataset],
    champion_measured_digest: dsl.OutputPath(str),
    champion_continuations: dsl.Output[dsl.Dataset],
    champion_continuations_digest: dsl.OutputPath(str),
    comparison: dsl.Output[dsl.Artifact],
    comparison_digest: dsl.OutputPath(str),
    metrics: dsl.Output[dsl.Metrics],
):
    """Measure the champion on the new model's held-out documents, say which predicts them better, and let it write on.

    Args:
        scrubbed: The corpus without personal data.
        scrubbed_digest: Its digest, checked before it is read.
        measured: Likelihood of each held-out document under the new model.
        measured_digest: Its digest, checked before it is read.
        continuations: The new model's texts; the champion writes after the same prompts.
        continuations_digest: Its digest, checked before it is read.
        registry: Folder of the registry.
        champion: Digest of the champion at submission; none if there is no champion; empty to ask the registry when the step runs.
        settings: Section `compare` of the profile.
        seed: Seed of the bootstrap.

    Returns:
        champion_measured: The same table of the champion; without rows if there is none.
        champion_measured_digest: SHA-256 of champion_measured.
        champion_continuations: The champion's texts; without rows if there is none.
        champion_continuations_digest: SHA-256 of champion_continuations.
        comparison: Difference in bits per byte, its interval and the verdict (JSON).
        comparison_digest: SHA-256 of comparison.
        metrics: The difference, for the Kubeflow UI.
    """
    return dsl.ContainerSpec(
        image="robo-poet/compare_champion",
        command=["python", "-m", "components.compare_champion"],
        args=[
            "--scrubbed", scrubbed.path, "--scrubbed-digest", scrubbed_digest,
            "--measured", measured.path, "--measured-digest", measured_digest,
            "--continuations", continuations.path, "--continuations-digest", continuations_digest,
            "--registry", registry, "--champion", champion, "--settings", settings, "--seed", seed,
            "--champion-measured", champion_measured.path, "--champion-continuations", champion_continuations.path,
            "--comparison", comparison.path, "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
