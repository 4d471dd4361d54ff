"""Checkpoints and the folder that holds them, from which a killed training resumes and reaches the same result (TRAIN-3, TRAIN-6).

The folder's name is a digest of everything that affects the result: inputs, settings, seed, dtype, library versions and code.
"""

import fcntl
import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import robo_poet
from components.train_model.hardware import compute_dtype
from robo_poet.atomic import new_file
from robo_poet.digest import digest_file, digest_json, digest_path
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings
from robo_poet.step.program import Call


@contextmanager
def state_folder(call: Call, settings: TrainSettings, seed: int) -> Iterator[Path]:
    """Create the state folder and hold its lock while the block runs.

    At the end, even after an error, the copies of the corpus (`*.ids`) are deleted. They can contain planted canary strings, and each start
    of the step writes them again. The checkpoints stay, because the step may have to write its outputs again.

    Raises:
        BadInput: another process holds the lock.
    """
    folder = Path(call.parameters["checkpoint_root"]) / f"training-{_training_digest(call, settings, seed)[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "wait until it has ended, or set another checkpoint_root"
            raise BadInput("the same training is already running", where=str(folder), remedy=remedy) from None
        try:
            yield folder
        finally:
            for ids_file in folder.glob("*.ids"):
                ids_file.unlink()
    finally:
        os.close(lock)


def _training_digest(call: Call, settings: TrainSettings, seed: int) -> str:
    inputs = {name: digest_path(path) for name, path in call.inputs.items()}
    precision = compute_dtype(settings.precision).name
    parameters = [call.parameters[name] for name in ("warm_start_digest", "secrets")]
    return digest_json(
        [inputs, settings.model_dump(mode="json"), seed, precision, parameters, keras.__version__, tf.__version__, _code_digest()]
    )


def _code_digest() -> str:
    """Return the digest of the training code. A checkpoint from different code must not be resumed."""
    folders = (Path(__file__).parent, Path(str(robo_poet.__file__)).parent)
    files = [(folder, path) for folder in folders for path in sorted(folder.rglob("*.py"))]
    return digest_json([[path.relative_to(folder).as_posix(), digest_file(path)] for folder, path in files])


Values = Sequence[Any]  # numpy arrays, in the order of the variables


class DamagedCheckpoint(Exception):
    """A checkpoint exists but cannot be used."""


class Checkpoints:
    """The checkpoint files of one training: `last.npz` to resume from and `best.npz` with the best weights.

    Args:
        folder: folder of the files; no other training may use it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, name: str, values: Values, progress: Mapping[str, Any]) -> None:
        """Write `<name>.npz` atomically, and sync it to disk before returning."""
        progress_bytes = np.frombuffer(json.dumps(progress).encode(), np.uint8)
        with new_file(self.folder / f"{name}.npz", durable=True) as temporary, temporary.open("wb") as file:
            np.savez(file, progress=progress_bytes, **{f"v{i:04d}": value for i, value in enumerate(values)})

    def load(self, name: str, shapes: Sequence[tuple[int, ...]]) -> tuple[list[Any], dict[str, Any]] | None:
        """Return values and progress of `<name>.npz`, or None if the file does not exist.

        Raises:
            DamagedCheckpoint: the file cannot be read, or its arrays do not have `shapes`.
        """
        try:
            # Open the file here: np.load leaves a damaged file open.
            with (self.folder / f"{name}.npz").open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                progress = json.loads(bytes(file["progress"]))
                values = [file[f"v{i:04d}"] for i in range(len(file.files) - 1)]
        except FileNotFoundError:
            return None
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise DamagedCheckpoint(f"{name}.npz cannot be read ({error})") from None
        if [v.shape for v in values] != list(shapes):
            raise DamagedCheckpoint(f"{name}.npz belongs to another model")
        return values, progress
