"""Locate an edge model and its tokenizer."""

from pathlib import Path

from robo_poet.errors import BadInput


def find(folder: Path, tokenizer: Path | None = None) -> tuple[Path, Path]:
    """Return the folders of the edge model and of its tokenizer.

    Args:
        folder: a version of the registry, a model artifact, or only its `edge/` folder, as on a device.
        tokenizer: the folder of the tokenizer, if there is no `tokenizer/` in `folder` or next to it.

    Raises:
        BadInput: the folder, the model or the tokenizer is missing.
    """
    if not folder.is_dir():
        raise BadInput("no such folder", where=str(folder), remedy="give a version of the registry or a model")
    candidates = (folder / "model" / "edge", folder / "edge", folder)
    edge = next((candidate for candidate in candidates if (candidate / "model.tflite").is_file()), None)
    if edge is None:
        raise BadInput("no edge model in it", where=str(folder), remedy="give a folder that holds model/edge, edge or model.tflite")
    if tokenizer is None:
        tokenizer = next((candidate for candidate in (folder / "tokenizer", folder.parent / "tokenizer") if candidate.is_dir()), None)
    if tokenizer is None:
        raise BadInput("no tokenizer beside it", where=str(folder), remedy="give the folder of its tokenizer with --tokenizer")
    return edge, tokenizer
