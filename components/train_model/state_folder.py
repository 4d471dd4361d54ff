"""The folder that holds a training's state across kills. Its name is a digest of everything that decides the result (TRAIN-6)."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import tensorflow as tf

import robo_poet
from components.train_model.precision import compute_type
from robo_poet.digest import digest_file, digest_json, digest_path
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings
from robo_poet.step import Call


@contextmanager
def state_folder(call: Call, settings: TrainSettings, seed: int) -> Iterator[Path]:
    """Create the state folder and hold its lock while the block runs.

    At the end it deletes the copies of the corpus (`*.ids`). The checkpoints stay, because the step may have to write its outputs again.

    Raises:
        BadInput: another process holds the lock.
    """
    folder = Path(call.parameters["checkpoint_root"]) / f"training-{_key(call, settings, seed)[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "wait until it has ended, or give another checkpoint_root"
            raise BadInput("this very training runs already", where=str(folder), remedy=remedy) from None
        yield folder
        for ids_file in folder.glob("*.ids"):
            ids_file.unlink()
    finally:
        os.close(lock)


def _key(call: Call, settings: TrainSettings, seed: int) -> str:
    inputs = {name: digest_path(path) for name, path in call.inputs.items()}
    precision = compute_type(settings.precision).name
    parameters = [call.parameters[name] for name in ("warm_start_digest", "secrets")]
    return digest_json([inputs, settings.model_dump(mode="json"), seed, precision, parameters, keras.__version__, tf.__version__, _code()])


def _code() -> str:
    """Return the digest of the training code. A checkpoint from different code must not be resumed."""
    folders = (Path(__file__).parent, Path(str(robo_poet.__file__)).parent)
    files = [(folder, path) for folder in folders for path in sorted(folder.rglob("*.py"))]
    return digest_json([[path.relative_to(folder).as_posix(), digest_file(path)] for folder, path in files])
