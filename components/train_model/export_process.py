"""The export, in a process of its own: the names inside a SavedModel count what was traced in the process before, so only a new
process writes the same bytes for the same weights, whether a training was interrupted or not.

    python -m components.train_model.export_process WEIGHTS.npz FOLDER SETTINGS VOCABULARY SIZE
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from components.train_model.architecture import ARCHITECTURES
from components.train_model.edge_export import export_edge
from components.train_model.export import export
from components.train_model.keras_export import export_keras
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings


def export_apart(model: keras.Model, settings: TrainSettings, size: int, folder: Path, scratch: Path) -> None:
    """Export `model` into `folder` by a new process.

    Args:
        size: tokens that exist.
        scratch: a folder for the weights on their way.

    Raises:
        BadInput: as `export`.
    """
    weights = scratch / "export.npz"
    np.savez(weights, *[variable.numpy() for variable in model.trainable_variables])
    arguments = [str(weights), str(folder), settings.model_dump_json(), str(model.output_shape[-1]), str(size)]
    done = subprocess.run([sys.executable, "-m", __name__, *arguments], stdout=subprocess.PIPE, text=True)
    weights.unlink()
    if done.returncode:
        raise BadInput(done.stdout.strip() or f"the export ended with status {done.returncode}; the lines above say why")


def main(arguments: Sequence[str]) -> int:
    """The other side of `export_apart`; what the caller can mend goes to standard output."""
    weights, folder, settings, vocabulary, size = arguments
    chosen = TrainSettings.model_validate_json(settings)
    architecture = ARCHITECTURES[chosen.architecture]
    keras.utils.set_random_seed(0)  # the weights it draws are replaced, the names it gives are not
    model = architecture.build(chosen, int(vocabulary))
    with np.load(weights) as file:
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
