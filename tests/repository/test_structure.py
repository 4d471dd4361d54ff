"""Figures of the source tree: the size of a file, and where the tests of a module are."""

import re
import statistics
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli", "pipelines", "components", "serving", "monitoring", "robo_poet")
FILES = subprocess.run(["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
MODULES = [
    Path(name)
    for name in FILES
    if name.endswith(".py") and Path(name).name not in ("__init__.py", "component.py") and (ROOT / name).exists()
]
COVERS = re.compile(r"Covers: ([\w, \n]+)\.")


def lines(module: Path) -> int:
    return len((ROOT / module).read_text("utf-8").splitlines())


def test_no_module_has_over_400_lines() -> None:
    assert [str(module) for module in MODULES if lines(module) > 400] == []


def test_most_modules_are_a_concept_and_not_a_fragment() -> None:
    assert statistics.median(map(lines, MODULES)) >= 90
    assert len([module for module in MODULES if lines(module) < 30]) < 15


def covered(folder: Path) -> set[str]:
    """Return the modules that the test files of a folder say they cover, in a line `Covers: a, b.` of their docstring."""
    texts = [path.read_text("utf-8")[:3000] for path in folder.glob("test_*.py")]
    return {name.strip() for text in texts for found in COVERS.findall(text) for name in re.split(r"[,\s]+", found)}


def test_every_module_has_its_tests_where_its_name_says() -> None:
    """tests/a/b/test_c.py tests a/b/c.py, or a test file beside it says that it covers `c`."""
    missing = []
    for module in MODULES:
        folder = ROOT / "tests" / module.parent
        names = [f"test_{module.stem}.py"]
        if module.stem == "__main__":
            names += ["test_main.py", f"test_{module.parent.name}.py"]
        if not any((folder / name).is_file() for name in names) and module.stem not in covered(folder):
            missing.append(str(module))
    assert missing == []
