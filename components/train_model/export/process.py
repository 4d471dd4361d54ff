"""The export of a trained model in a separate process, so that the same weights give the same bytes.

The names inside a SavedModel contain counters. They count the functions that the process has traced before the export. A resumed training
has traced other functions, so the same weights would give other bytes.

    python -m components.train_model.export.process WEIGHTS.npz FOLDER SETTINGS VOCABULARY SIZE
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.export.keras_files import export_keras
from components.train_model.export.saved_model import export
from components.train_model.export.tflite import export_edge
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings


def export_in_subprocess(model: keras.Model, settings: TrainSettings, size: int, folder: Path, scratch: Path) -> None:
    """Export `model` into `folder` in a new process.

    Args:
        model: the trained model.
        settings: the training's settings; the new process builds the model from them.
        size: number of tokens of the tokenizer.
        folder: folder of the exported formats.
        scratch: folder for a temporary file with the weights.

    Raises:
        BadInput: in the same cases as `export`, or if the process failed.
    """
    weights = scratch / "export.npz"
    np.savez(weights, *[variable.numpy() for variable in model.trainable_variables])
    arguments = [str(weights), str(folder), settings.model_dump_json(), str(model.output_shape[-1]), str(size)]
    completed = subprocess.run([sys.executable, "-m", __name__, *arguments], stdout=subprocess.PIPE, text=True)
    weights.unlink()
    if completed.returncode:
        raise BadInput(completed.stdout.strip() or f"the export process exited with status {completed.returncode}; see its output above")


def main(arguments: Sequence[str]) -> int:
    """Run the export process of `export_in_subprocess`. Print errors that the user can fix to standard output and return 2 for them."""
    weights, folder, settings, vocabulary, size = arguments
    train_settings = TrainSettings.model_validate_json(settings)
    architecture = ARCHITECTURES[train_settings.architecture]
    keras.utils.set_random_seed(0)  # the random weights are replaced below, names that depend on the seed are not
    model = architecture.build(train_settings, int(vocabulary))
    with np.load(weights, allow_pickle=False) as file:
        for variable, name in zip(model.trainable_variables, file.files, strict=True):
            variable.assign(file[name])
    try:
        export(model, architecture, int(size), Path(folder))
        export_keras(model, Path(folder))
        export_edge(model, architecture, int(size), Path(folder))
    except BadInput as error:
        print(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
