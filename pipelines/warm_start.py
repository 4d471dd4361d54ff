"""From a version's number to what train_model reads of it: resolved at submission, as the source is, so that the step reads one path."""

from pathlib import Path

from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry


def warm_start(number: int, registry: str) -> dict[str, str]:
    """The run parameters `warm_start` (the version's `model` folder) and `warm_start_digest`; both empty for number 0.

    Raises:
        NoSuchVersion, Corrupt: there is none of this number, or it is not what was registered.
        BadInput: the registry is not on this machine.
    """
    if not number:
        return {"warm_start": "", "warm_start_digest": ""}
    if not Path(registry).is_dir():
        remedy = "a warm start reads the version when the run is submitted: use RUNNER=process or RUNNER=docker, or train.warm_start=0"
        raise BadInput("no such registry on this machine", where=f"train.warm_start={number}: {registry or '(none)'}", remedy=remedy)
    version = Registry(Path(registry)).version(number)
    version.verify()
    folder = version.folder / "model"
    if not (folder / "keras" / "model.keras").is_file():
        remedy = "choose a version that was made by a newer code"
        raise BadInput("this version holds no Keras model to begin with", where=f"train.warm_start={number}: {folder}", remedy=remedy)
    return {"warm_start": str(folder.resolve()), "warm_start_digest": digest_path(folder)}
