"""An image is an environment (contract 3): which dependency group a step's image has, and which Python stands for it on this machine."""

import sys
from pathlib import Path

from pipelines.code_digest import ROOT
from pipelines.steps import GROUPS
from robo_poet.errors import BadInput

APART = "validate"  # TFDV needs an older TensorFlow than all the others
ON_GPU = {"train": "train-gpu", "evaluate": "evaluate-gpu"}  # the same packages, and TensorFlow's CUDA libraries


def group(step: str, gpu: bool = False) -> str:
    """The dependency group of a step's image; with a GPU, of the variant that can use one, where there is such a variant."""
    own = GROUPS[step]
    return ON_GPU.get(own, own) if gpu else own


def interpreter(image: str) -> Path:
    """The Python for an image such as `robo-poet/ingest:0a1b…`.

    Raises:
        BadInput: no step of ours, or its environment is not set up.
    """
    step = image.rsplit("/", 1)[-1].split(":")[0]
    if step not in GROUPS:
        raise BadInput(f"no step is called {step}", where=image, remedy=f"the steps are {', '.join(GROUPS)}")
    if GROUPS[step] != APART:
        return Path(sys.executable)
    python = ROOT / f".venv-{APART}" / "bin" / "python"
    if not python.exists():
        raise BadInput("its environment is not set up", where=step, remedy="run make setup")
    return python
