"""What judge_drift reads and writes."""

from robo_poet.step.declaration import HTML, Artifact, Input, Metrics, Output, Result, View, step


@step(group="monitoring")
def judge_drift(
    traffic: Input[Artifact],
    settings: dict,
    verdict: Output[Artifact],
    page: View[HTML],
    metrics: View[Metrics],
    action: Result[str],
) -> None:
    """Judge whether the live perplexity of a window is a drift, and compare the window with the first ones by Evidently (MON-3).

    Args:
        traffic: Snapshots of windows and the baseline of the champion (folder).
        settings: Section `monitoring.drift` of the profile.

    Returns:
        verdict: Verdict with reasons, likely cause, evidence and the drift of each column (JSON).
        page: The window compared with the first windows of the version.
        metrics: Users, perplexity and rise of the window, for the Kubeflow UI.
        action: `no_drift`, `rising`, `drift` or `cannot_tell`.
    """
