"""The model for Keras users (REG-3): `model.keras`, and an HDF5 file with the whole model or, if the format cannot store it, the weights.

A whole model loads with `keras.models.load_model` without this project's code. The same weights give the same bytes.
"""

import io
import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import keras

from robo_poet.errors import BadInput

HDF5_MODEL_FILE, HDF5_WEIGHTS_FILE = "model.h5", "model.weights.h5"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest timestamp of the zip format


def export_keras(model: keras.Model, folder: Path) -> None:
    """Write `keras/model.keras` and either `keras/model.h5` or `keras/model.weights.h5` into `folder`.

    The legacy HDF5 format cannot store operations outside layers. So it stores a whole `lstm`, which has only layers. For a `transformer`
    it stores the weights, for `keras.models.load_model("model.keras").load_weights(…)`.

    Raises:
        BadInput: the disk is full or the folder is not writable.
    """
    target = folder / "keras"
    absl = logging.getLogger("absl")
    level = absl.level
    absl.setLevel(logging.ERROR)  # hides the warning that HDF5 is a legacy format
    try:
        target.mkdir(parents=True, exist_ok=True)
        model.save(target / "model.keras")
        _make_reproducible(target / "model.keras")
        model.save(target / HDF5_MODEL_FILE)
        if not _can_load(target / HDF5_MODEL_FILE):
            (target / HDF5_MODEL_FILE).unlink()
            model.save_weights(target / HDF5_WEIGHTS_FILE)
    except OSError as error:  # h5py also raises OSError for a full disk, without a file name
        raise BadInput(f"the model cannot be written ({error})", where=str(target), remedy="free space and run again") from None
    finally:
        absl.setLevel(level)


def _can_load(path: Path) -> bool:
    try:
        keras.models.load_model(path, compile=False, safe_mode=True)
    except ValueError:  # "Unknown layer: 'OnesLike'": Keras writes the file but cannot read it
        return False
    return True


def _make_reproducible(path: Path) -> None:
    """Remove from a `.keras` archive what differs between runs: two timestamps, and memory addresses used as object ids."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"])
    metadata.pop("date_saved", None)
    members["metadata.json"] = json.dumps(metadata, sort_keys=True).encode()
    members["config.json"] = json.dumps(_number_object_ids(json.loads(members["config.json"]), {})).encode()
    rewritten = io.BytesIO()
    with zipfile.ZipFile(rewritten, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content)
    path.write_bytes(rewritten.getvalue())


def _number_object_ids(config: Any, numbers: dict[int, int]) -> Any:
    """Replace each `shared_object_id` (in Keras a memory address) by a number, in the order of appearance."""
    if isinstance(config, list):
        return [_number_object_ids(item, numbers) for item in config]
    if not isinstance(config, dict):
        return config
    return {
        key: numbers.setdefault(value, len(numbers) + 1) if key == "shared_object_id" else _number_object_ids(value, numbers)
        for key, value in config.items()
    }
