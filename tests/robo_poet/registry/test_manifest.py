import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.registry.manifest import Manifest, digests, finite, sources

FILES = {"model/a": "1" * 64, "model/b": "2" * 64}


def manifest(**changes: Any) -> Manifest:
    return Manifest(**{"files": FILES, "metrics": {"bleu": 0.1}, "lineage": {"seed": 42}, "decision": {"verdict": "accepted"}, **changes})


def test_reads_back_what_it_writes() -> None:
    assert Manifest.from_bytes(manifest().to_bytes()) == manifest()


@given(st.permutations(sorted(FILES)))
def test_the_digest_does_not_depend_on_the_order(names: list[str]) -> None:
    assert manifest(files={name: FILES[name] for name in names}).digest == manifest().digest


@pytest.mark.parametrize("change", [{"files": {}}, {"metrics": {"bleu": 0.2}}, {"lineage": {"seed": 43}}, {"decision": {}}])
def test_the_digest_depends_on_everything(change: dict[str, Any]) -> None:
    assert manifest(**change).digest != manifest().digest


def test_what_is_no_finite_number_is_none() -> None:
    odd: dict[str, Any] = {"a": 1.5, "b": math.nan, "c": math.inf, "d": None, "e": "12"}
    assert finite(odd) == {"a": 1.5, "b": None, "c": None, "d": None, "e": None}


def test_folders_are_walked_and_links_followed(tmp_path: Path) -> None:
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "empty").mkdir()
    (tmp_path / "model" / "deep" / "a").write_text("a")
    (tmp_path / "model" / "b").symlink_to(tmp_path / "model" / "deep" / "a")
    found = sources({"model": tmp_path / "model", "copy.txt": tmp_path / "model" / "b"})
    assert set(found) == {"model/deep/a", "model/b", "copy.txt"}
    assert len(set(digests(found).values())) == 1


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "manifest.json"])
def test_a_name_has_to_be_plain(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        sources({name: tmp_path})


def test_something_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        sources({"model": tmp_path / "none"})
    with pytest.raises(BadInput, match="without any file"):
        sources({"model": tmp_path})
    with pytest.raises(BadInput, match="without any file"):
        sources({})
