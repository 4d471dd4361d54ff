"""The model for Keras users (REG-3): `model.keras`, and HDF5, as a whole where the format can hold it and else the weights.

Both load with `keras.models.load_model` where none of our code is; the same weights give the same bytes.
"""

import io
import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import keras

from robo_poet.errors import BadInput

WHOLE, WEIGHTS = "model.h5", "model.weights.h5"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive knows


def export_keras(model: keras.Model, folder: Path) -> None:
    """Write `keras/model.keras` into `folder`, and beside it `model.h5` or `model.weights.h5`.

    The legacy HDF5 format has no word for an operation outside a layer, so that only an architecture of layers alone (`lstm`) is
    whole in it. Of another (`transformer`) it holds the weights, for `keras.models.load_model("model.keras").load_weights(…)`.

    Raises:
        BadInput: the disk is full or the folder may not be written.
    """
    target = folder / "keras"
    absl = logging.getLogger("absl")
    level = absl.level
    absl.setLevel(logging.ERROR)  # that HDF5 is a legacy format is why it is here
    try:
        target.mkdir(parents=True, exist_ok=True)
        model.save(target / "model.keras")
        _settle(target / "model.keras")
        model.save(target / WHOLE)
        if not _loads(target / WHOLE):
            (target / WHOLE).unlink()
            model.save_weights(target / WEIGHTS)
    except OSError as error:  # h5py says a full disk by one too, without a file's name
        raise BadInput(f"the model cannot be written ({error})", where=str(target), remedy="free space and run again") from None
    finally:
        absl.setLevel(level)


def _loads(path: Path) -> bool:
    try:
        keras.models.load_model(path, compile=False)
    except ValueError:  # "Unknown layer: 'OnesLike'": the file was written, and nothing can read it
        return False
    return True


def _settle(path: Path) -> None:
    """Take out of a `.keras` archive what belongs to this run: when it was written (twice), and where its objects lay in memory."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"])
    metadata.pop("date_saved", None)
    members["metadata.json"] = json.dumps(metadata, sort_keys=True).encode()
    members["config.json"] = json.dumps(_numbered(json.loads(members["config.json"]), {})).encode()
    settled = io.BytesIO()
    with zipfile.ZipFile(settled, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content)
    path.write_bytes(settled.getvalue())


def _numbered(config: Any, numbers: dict[int, int]) -> Any:
    """Keras names an object that is used twice by its address; here by its number, in order of appearance."""
    if isinstance(config, list):
        return [_numbered(item, numbers) for item in config]
    if not isinstance(config, dict):
        return config
    return {
        key: numbers.setdefault(value, len(numbers) + 1) if key == "shared_object_id" else _numbered(value, numbers)
        for key, value in config.items()
    }
