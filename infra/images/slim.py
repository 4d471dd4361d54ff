"""Remove files from an image's environment that no step needs at run time: tests, C headers and sources, static libraries.

Only `tests` and `include` folders and files for a compiler are removed. All shared libraries stay, and so do the packages in `WHOLE`.
"""

import os
import shutil
import sys
from pathlib import Path

FOLDERS = ("tests", "include")  # folders inside packages, such as pandas/tests and tensorflow/include
WHOLE = ("evidently",)  # its folder legacy/tests is a part of its reports
ENDINGS = (".a", ".h", ".hpp", ".pyx", ".pxd", ".c", ".cpp")


def slim(site: Path) -> int:
    """Remove these files and folders below the folder `site` (site-packages). Return the number of removed files and folders."""
    removed = 0
    for folder, folders, files in os.walk(site):
        if Path(folder) == site:
            folders[:] = [name for name in folders if name not in WHOLE]
        for name in [name for name in folders if name in FOLDERS]:
            shutil.rmtree(Path(folder, name))
            folders.remove(name)
            removed += 1
        for name in [name for name in files if name.endswith(ENDINGS)]:
            Path(folder, name).unlink()
            removed += 1
    return removed


if __name__ == "__main__":
    for site_packages in Path(sys.argv[1]).glob("lib/python3*/site-packages"):
        print(f"slim: {slim(site_packages)} files and folders removed")
