"""Checkpoints, from which a training resumes and reaches the same result (TRAIN-3)."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from robo_poet.atomic import new_file

Values = Sequence[Any]  # numpy arrays, in the order of the variables


class Damaged(Exception):
    """Raised when a checkpoint exists but cannot be used."""


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
            Damaged: the file cannot be read, or its arrays do not have `shapes`.
        """
        try:
            # Open the file here: np.load leaves a damaged file open.
            with (self.folder / f"{name}.npz").open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                progress = json.loads(bytes(file["progress"]))
                values = [file[f"v{i:04d}"] for i in range(len(file.files) - 1)]
        except FileNotFoundError:
            return None
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise Damaged(f"{name}.npz cannot be read ({error})") from None
        if [v.shape for v in values] != list(shapes):
            raise Damaged(f"{name}.npz is of another model")
        return values, progress
