"""What collect_window reads and writes."""

from robo_poet.step.declaration import Artifact, Output, Result, step


@step(group="monitoring")
def collect_window(
    requests: str,
    registry: str,
    model_name: str,
    window: str,
    model_server: dict,
    settings: dict,
    traffic: Output[Artifact],
    users: Result[int],
) -> None:
    """Take a snapshot of a window of live traffic and of what it is compared with: numbers of users, no texts and no pseudonyms.

    Args:
        requests: Folder of the request log.
        registry: Folder of the registry, or gs://bucket/prefix.
        model_name: Name of the model in the registry.
        window: Start of the window (UTC), such as 2026-03-02; empty for the newest complete window when the step runs.
        model_server: The keys `model_server…` of section `serve`: where the held-out text of the champion is scored.
        settings: Section `monitoring.drift` of the profile.

    Returns:
        traffic: Snapshots of the window, of those before it and of the first windows of the champion; its baseline, and the
            score of its held-out text (folder).
        users: Users with a score in the window.
    """
