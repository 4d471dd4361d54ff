import hashlib
import zipfile
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.model_files import package_folder, verified_files

CONTENT = {"a/weights": b"1234", "words.json": b"{}"}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


def source(folder: Path, kind: str, content: dict[str, bytes]) -> Path:
    if kind == "archive":
        with zipfile.ZipFile(folder / "model.zip", "w") as archive:
            for name, value in content.items():
                archive.writestr(name, value)
        return folder / "model.zip"
    for name, value in content.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(value)
    return folder


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_the_published_files_are_returned_and_no_others(tmp_path: Path, kind: str) -> None:
    assert verified_files(source(tmp_path, kind, CONTENT), DIGESTS, "the model") == CONTENT
    changed = source(tmp_path, kind, {**CONTENT, "a/weights": b"1235"})
    with pytest.raises(
        BadInput, match="a/weights is not the published file, so it is not loaded: its SHA-256 differs; remove .venv and run make"
    ):
        verified_files(changed, DIGESTS, "the model")


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_missing_file_is_one_line(tmp_path: Path, kind: str) -> None:
    where = source(tmp_path, kind, {"words.json": b"{}"})
    with pytest.raises(BadInput, match="cannot read the model: .+; remove .venv and run make setup") as error:
        verified_files(where, DIGESTS, "the model")
    assert "\n" not in str(error.value)


def test_a_package_is_found_without_running_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_model").mkdir()
    (tmp_path / "a_model" / "__init__.py").write_text("raise AssertionError('the package ran')")
    monkeypatch.syspath_prepend(tmp_path)
    assert package_folder("a_model", "the model") == tmp_path / "a_model"
    with pytest.raises(BadInput, match="no_such_package: the model is not installed; run make setup"):
        package_folder("no_such_package", "the model")
