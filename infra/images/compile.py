"""Compiles an image's environment beforehand, with all cores: a read-only root cannot keep what Python would compile at run time.

Unchecked-hash: nothing is compared with its source again. What a layer below has compiled is left as it is: no layer holds it twice.
"""

import sys
from compileall import compile_file
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode


def uncompiled(root: Path) -> list[Path]:
    """The modules below the folder `root` that have no bytecode yet, sorted."""
    return sorted(path for path in root.rglob("*.py") if not Path(cache_from_source(str(path))).exists())


def compile_all(root: Path) -> int:
    """Compile them; returns how many. What is no Python 3, such as a template, is left uncompiled."""
    one = partial(compile_file, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    modules = uncompiled(root)
    with ProcessPoolExecutor() as pool:
        list(pool.map(one, modules, chunksize=50))
    return len(modules)


if __name__ == "__main__":
    print(f"compile: {compile_all(Path(sys.argv[1]))} modules")
