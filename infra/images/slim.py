"""Removes from an image's environment what no step needs at run time: tests, C headers, static libraries.

Only what is plainly none of it goes: a package's own `tests` folder, what a compiler would read. Shared libraries all stay.
"""

import os
import shutil
import sys
from pathlib import Path

FOLDERS = ("tests", "include")  # a package's, such as pandas/tests and tensorflow/include
ENDINGS = (".a", ".h", ".hpp", ".pyx", ".pxd", ".c", ".cpp")


def slim(site: Path) -> int:
    """Remove it below the site-packages folder `site`; returns the number of files and folders removed."""
    removed = 0
    for at, folders, files in os.walk(site):
        for name in [name for name in folders if name in FOLDERS]:
            shutil.rmtree(Path(at, name))
            folders.remove(name)
            removed += 1
        for name in [name for name in files if name.endswith(ENDINGS)]:
            Path(at, name).unlink()
            removed += 1
    return removed


if __name__ == "__main__":
    for site_packages in Path(sys.argv[1]).glob("lib/python3*/site-packages"):
        print(f"slim: {slim(site_packages)} files and folders removed")
