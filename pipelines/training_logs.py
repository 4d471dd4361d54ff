"""`runs/<id>/logs/training/`: what TensorBoard reads of a run (TRAIN-4)."""

import shutil
from pathlib import Path

from pipelines.run.record import Event
from pipelines.run.result import RunResult

STEP, OUTPUT, NAME = "train-model", "logs", "training"


def watch_training(event: Event) -> None:
    """As the training begins, make `logs/training` a link to where it works: TensorBoard shows the curve as it grows."""
    if event.task == STEP and event.state == "running":
        link = Path(event.detail["log"]).parent / NAME
        link.unlink(missing_ok=True)  # of an attempt before
        link.symlink_to(event.detail["folder"])


def keep_training_logs(result: RunResult) -> Path | None:
    """Copy the finished event files into the run's folder, whether the training ran or came out of the store.

    The run keeps them when the store forgets them. A training that failed leaves the link to where it worked; None for no logs at all.
    """
    place = result.folder / "logs" / NAME
    task = result.tasks.get(STEP)
    made = task.artifacts.get(OUTPUT) if task else None
    if made and made.path.exists():
        place.unlink(missing_ok=True)
        shutil.copytree(made.path, place)
    return place if place.exists() else None
