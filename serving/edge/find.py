"""Where an edge model and its tokenizer lie."""

from pathlib import Path

from robo_poet.errors import BadInput


def find(folder: Path, tokenizer: Path | None = None) -> tuple[Path, Path]:
    """Folders of the edge model and of its tokenizer.

    Args:
        folder: a version of the registry, a model artifact, or its `edge/` alone, as a device holds it.
        tokenizer: its folder, where there is no `tokenizer/` in or beside `folder`.

    Raises:
        BadInput: there is none.
    """
    if not folder.is_dir():
        raise BadInput("no such folder", where=str(folder), remedy="give a version of the registry or a model")
    places = (folder / "model" / "edge", folder / "edge", folder)
    edge = next((place for place in places if (place / "model.tflite").is_file()), None)
    if edge is None:
        raise BadInput("no edge model in it", where=str(folder), remedy="give a folder that holds model/edge, edge or model.tflite")
    if tokenizer is None:
        tokenizer = next((place for place in (folder / "tokenizer", folder.parent / "tokenizer") if place.is_dir()), None)
    if tokenizer is None:
        raise BadInput("no tokenizer beside it", where=str(folder), remedy="give the folder of its tokenizer with --tokenizer")
    return edge, tokenizer
