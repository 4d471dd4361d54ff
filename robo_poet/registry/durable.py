"""Folders and files that outlast a power cut, for what the log is going to promise."""

import os
from pathlib import Path

from robo_poet.atomic import sync_folder


def make_folder(path: Path) -> None:
    """Make `path` and its missing parents, each name synced into the folder above it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Bring a file's bytes to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(path: Path) -> None:
    """Bring everything under `path` to the disk: bytes first, then the names that lead to them."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))
