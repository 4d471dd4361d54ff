"""What deploy_canary reads and writes."""

from robo_poet.step.declaration import Result, step


@step(group="registry")
def deploy_canary(
    registry: str,
    model_name: str,
    version: int,
    version_digest: str,
    who: str,
    stage: Result[str],
) -> None:
    """Verify the files of a version and make it the canary. The first accepted version becomes the champion.

    Args:
        registry: Folder of the registry, or gs://bucket/prefix.
        model_name: Name of the model in the registry.
        version: Number of the version, from 1.
        version_digest: SHA-256 of the version's manifest.
        who: Name that the registry's log records.

    Returns:
        stage: Stage of the version after the step.
    """
