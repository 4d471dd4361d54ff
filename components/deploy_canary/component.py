"""The KFP face of deploy_canary."""

from kfp import dsl

GROUP = "registry"


@dsl.container_component
def deploy_canary(
    registry: str,
    version: int,
    version_digest: str,
    who: str,
    stage: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Verify a version's files and try it beside the champion; the first version of all becomes champion.

    Args:
        registry: Folder of the registry.
        version: Number of the version, from 1.
        version_digest: SHA-256 of its manifest.
        who: For the registry's log.

    Returns:
        stage: The version's stage afterwards.
    """
    return dsl.ContainerSpec(
        image="robo-poet/deploy_canary",
        command=["python", "-m", "components.deploy_canary"],
        args=[
            "--registry", registry, "--version", version, "--version-digest", version_digest, "--who", who,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
