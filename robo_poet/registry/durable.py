"""Durable writes: folders and files that survive a power loss, for the guarantees of the log."""

import os
from pathlib import Path

from robo_poet.atomic import sync_folder


def make_folder(path: Path) -> None:
    """Create `path` and its missing parents, and sync each new name into its parent folder."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Flush a file's bytes to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(path: Path) -> None:
    """Flush everything under `path` to disk: contents first, then folders."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))
