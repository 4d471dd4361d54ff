"""Compiling beforehand: all that has no bytecode yet, never looked at again, and what is compiled left as it is."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from pipelines.images.programs import ROOT


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compile_environment", ROOT / "infra" / "images" / "compile.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bytecode(path: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(path)))


def test_what_has_no_bytecode_is_compiled_and_no_more(script: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "package").mkdir()
    one, two, broken = tmp_path / "one.py", tmp_path / "package" / "two.py", tmp_path / "package" / "template.py"
    one.write_text("A = 1\n")
    assert script.compile_all(tmp_path) == 1
    first = bytecode(one).read_bytes()
    assert first[4:8] == (1).to_bytes(4, "little")  # PEP 552: by hash, and not checked
    one.write_text("A = 2\n")
    two.write_text("B = 2\n")
    broken.write_text("this is {no} Python\n")
    assert script.compile_all(tmp_path) == 2
    assert bytecode(one).read_bytes() == first and bytecode(two).exists() and not bytecode(broken).exists()
    assert capfd.readouterr() == ("", "")
