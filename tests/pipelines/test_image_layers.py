"""Layers that environments share: each lock cut, nothing lost, nothing added."""

from collections import Counter

import pytest

from pipelines.code_digest import ROOT, lock_file
from pipelines.image_layers import FAMILIES, SOURCE_ONLY, layers
from pipelines.programs import PROGRAMS
from pipelines.sbom import packages

GROUPS = sorted({program.group for program in PROGRAMS.values()} | {group for family in FAMILIES for group in family})


def blocks(lock: str) -> Counter[str]:
    """A lock's lines by the package that they belong to."""
    found: list[str] = []
    for line in lock.splitlines():
        if line[:1].isalnum():
            found.append(line)
        elif line.strip() and not line.startswith("#"):
            found[-1] += f"\n{line}"
    return Counter(found)


@pytest.mark.parametrize("group", GROUPS)
def test_layers_are_the_lock_cut(group: str) -> None:
    chain = layers(group)
    assert sum((blocks(layer.lock) for layer in chain), Counter()) == blocks(lock_file(group).read_text())
    assert [layer.last for layer in chain] == [False] * (len(chain) - 1) + [True]
    assert chain == layers(group)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_shares_its_layers(family: tuple[str, ...]) -> None:
    shared = {group: {layer.name: layer.lock for layer in layers(group) if not layer.last} for group in family}
    name = f"{family[0]}-shared"
    assert len({below[name] for below in shared.values()}) == 1 and shared[family[0]][name]


def test_the_large_is_installed_once() -> None:
    at = {group: next(layer.name for layer in layers(group) if "\ntensorflow==" in f"\n{layer.lock}") for group in FAMILIES[0]}
    assert set(at.values()) == {"model-server-shared"}
    assert next(layer.name for layer in layers("gateway") if "\nspacy==" in f"\n{layer.lock}") == "scrub-shared"


def test_what_comes_as_source_is_known() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        if path.stem in GROUPS:
            wanted = {one.name for one in packages(path)} & set(SOURCE_ONLY)
            assert {line.split("==")[0] for layer in layers(path.stem) for line in layer.from_source.splitlines() if "==" in line} == wanted
    assert layers("validate")[-1].from_source.startswith("pyfarmhash==") and "--hash=sha256:" in layers("validate")[-1].from_source
