"""Compile the bytecode of an image's environment, with all cores: on a read-only root, Python cannot store bytecode at run time.

The bytecode has an unchecked hash: Python never compares it with the source. Files that a lower layer has compiled are skipped, so that
no layer stores them again.
"""

import sys
from compileall import compile_file
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode


def uncompiled(root: Path) -> list[Path]:
    """Return the modules below the folder `root` that have no bytecode yet, sorted."""
    return sorted(path for path in root.rglob("*.py") if not Path(cache_from_source(str(path))).exists())


def compile_all(root: Path) -> int:
    """Compile the modules of `uncompiled(root)`. Return their number. Files that are not valid Python 3, such as templates, are skipped."""
    compile_module = partial(compile_file, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    modules = uncompiled(root)
    with ProcessPoolExecutor() as pool:
        list(pool.map(compile_module, modules, chunksize=50))
    return len(modules)


if __name__ == "__main__":
    print(f"compile: {compile_all(Path(sys.argv[1]))} modules")
