"""What send_alert reads and writes."""

from robo_poet.step.declaration import Artifact, Input, Result, step


@step(group="monitoring")
def send_alert(
    verdict: Input[Artifact],
    alertmanager: str,
    sent: Result[int],
) -> None:
    """Send a drift to Alertmanager, with the labels of the alert of the drift watcher. Alertmanager treats both as one alert (MON-2).

    Args:
        verdict: Verdict on a window (JSON).
        alertmanager: Address of Alertmanager, such as http://alertmanager:9093. Empty to send nothing.

    Returns:
        sent: 1 if Alertmanager has the alert, 0 if nothing was sent.
    """
