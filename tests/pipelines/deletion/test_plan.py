"""What a deletion would remove, and what it keeps.

Covers: inventory, search.
"""

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.deletion.plan import plan_deletion
from robo_poet.deletion.selection import Selection
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from tests.pipelines.deletion.conftest import NAME, POEM, World, document

SUBJECT = Selection(subjects=(NAME,))


def planned(world: World, selection: Selection = SUBJECT) -> dict[str, str]:
    plan = plan_deletion(world.folders, selection)
    return {f"{unit.kind} {unit.path.name}": why for unit, why in plan.units.items()}


def test_everything_with_the_document_or_made_from_it(world: World) -> None:
    plan = plan_deletion(world.folders, SUBJECT)
    kinds = plan.counts()
    assert kinds == {"documents": 1, "cache entry": 4, "leftover": 1, "report": 2, "run": 1, "working folder": 1, "requests": 2}
    names = {unit.path.name for unit in plan.units}
    assert {"2026-mine", "compared.html", "profile.yaml", "train_model-0123456789abcdef"} <= names
    assert not {"2026-other", "kept.html"} & names
    assert plan.completions == ["one", "two"]
    (version,) = plan.versions
    assert version.version.name == "poems/1" and version.splits == {"train": 1}
    assert version.advice == ("retire", "its weights were trained on it; archive and purge it")
    assert plan.unknown == []


@pytest.mark.parametrize(
    "selection",
    [
        Selection(documents=("heron",)),
        Selection(authors=("ann BELL",)),
        Selection(pieces=("slow river bends, and nobody",)),
    ],
)
def test_other_selections_find_the_same_training(world: World, selection: Selection) -> None:
    plan = plan_deletion(world.folders, selection)
    assert [item.document.id for item in plan.search.items] == ["heron"]
    assert plan.counts()["cache entry"] == 4 and [item.version.name for item in plan.versions] == ["poems/1"]


def test_a_plan_changes_nothing(world: World) -> None:
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in world.root.rglob("*"))
    plan_deletion(world.folders, SUBJECT)
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in world.root.rglob("*")) == before


def test_nothing_matches(world: World) -> None:
    plan = plan_deletion(world.folders, Selection(subjects=("Nobody Here",)))
    assert not plan.removes and plan.units == {} and plan.versions == []


@pytest.mark.parametrize("selection", [Selection(sources=("user",)), Selection(subjects=("poem", "the"))])
def test_everything_matches(world: World, selection: Selection) -> None:
    with pytest.raises(BadInput, match="the selection matches all 7 stored documents; select fewer, or confirm with --all"):
        plan_deletion(world.folders, selection)
    assert plan_deletion(world.folders, selection, everything=True).counts()["cache entry"] == 8


def test_a_source_by_its_address(world: World) -> None:
    for address in ("/home/mine", "/home/mine/", "mine"):
        plan = plan_deletion(world.folders, Selection(sources=(address,)), everything=True)
        assert any(unit.path.name == "2026-mine" for unit in plan.units)
    assert not plan_deletion(world.folders, Selection(sources=("min",))).removes


@pytest.mark.parametrize("values", [{}, {"subjects": ("",)}, {"subjects": ("…",)}, {"pieces": ("and",)}, {"documents": (" ",)}])
def test_values_that_match_nothing_or_everything_are_refused(values: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(BadInput):
        Selection(**values)


def test_a_result_whose_origin_is_gone_goes_too(world: World) -> None:
    orphan = world.entry("measure-text", {"metrics": "{}"}, artifacts={"scrubbed": "f" * 64})
    broken = world.folders.store / "done" / ("0" * 64)
    broken.mkdir()
    assert planned(world)[f"cache entry {orphan.key}"] == "its origin is not stored"
    assert planned(world)[f"cache entry {broken.name}"] == "cannot be read"
    assert planned(world, Selection(subjects=("Nobody Here",))) == {}, "nothing is moved"


def test_a_document_only_in_test_or_validation(world: World) -> None:
    plan = plan_deletion(world.folders, Selection(documents=("other-4",)))
    assert {item.version.name: item.advice[0] for item in plan.versions} == {"poems/1": "keep", "poems/2": "keep"}


def test_a_champion_is_to_be_replaced_and_a_purged_version_needs_nothing(world: World) -> None:
    registry = Registry(world.folders.registry, "poems")
    registry.promote(1, who="test", why="test")
    (version,) = plan_deletion(world.folders, SUBJECT).versions
    assert version.advice[0] == "retrain"
    registry.archive(1, who="test", why="test")
    (version,) = plan_deletion(world.folders, SUBJECT).versions
    assert version.advice == ("retire", "its weights were trained on it; purge it")


def test_a_version_that_started_from_the_weights_of_another(world: World) -> None:
    file = world.root / "weights"
    file.write_text("x")
    Registry(world.folders.registry, "poems").register(
        {"model": file}, metrics={}, lineage={"inputs": {}, "settings": {"train": {"warm_start": 1}}}, decision={}, stage="candidate",
        who="test", why="test",
    )  # fmt: skip
    plan = plan_deletion(world.folders, SUBJECT)
    assert [(item.version.number, item.started_from, item.advice[0]) for item in plan.versions] == [
        (1, "", "retire"),
        (3, "poems/1", "retire"),
    ]


def test_copies_elsewhere_are_listed(world: World, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    version = plan_deletion(world.folders, SUBJECT).versions[0].version
    (backup / "weights.bin").write_bytes((version.folder / "model").read_bytes())
    (backup / "letter.txt").write_text(f"Dear {NAME}")
    (backup / "innocent.txt").write_text("Dear reader")
    plan = plan_deletion(world.folders, SUBJECT, also=[backup])
    assert sorted(path.name for path in plan.copies) == ["letter.txt", "weights.bin"]


def test_the_same_text_under_another_id_is_found(world: World) -> None:
    world.entry("ingest", {"corpus": [document("renamed", POEM.upper()), document("z", "Something else entirely")]}, source="/elsewhere")
    plan = plan_deletion(world.folders, Selection(documents=("heron",)))
    assert sorted(item.document.id for item in plan.search.items) == ["heron", "renamed"]


def test_names_are_found_in_tables_models_and_names_of_files(world: World) -> None:
    nested = world.entry("measure-text", {"table": pa.table({"a": [[{"b": "by ANN BELL"}]]})})
    model = world.entry("export", {"model": b"\xff\xfe\x00" + NAME.upper().encode() + b"\x00\xff"})
    run = world.folders.runs / "2026-named"
    (run / "logs").mkdir(parents=True)
    (run / "events.jsonl").write_text("")
    (run / "logs" / "ann-bell.log").write_text("nothing")
    units = planned(world)
    for unit in (f"cache entry {nested.key}", f"cache entry {model.key}", "run 2026-named"):
        assert units[unit] == "names or quotes it"


def test_a_damaged_version_or_table_does_not_stop_a_deletion(world: World) -> None:
    version = plan_deletion(world.folders, SUBJECT).versions[0].version
    (version.folder / "manifest.json").chmod(0o644)
    (version.folder / "manifest.json").write_text("{}")
    entry = world.entry("measure-text", {"table": b"PAR1 broken"})
    plan = plan_deletion(world.folders, SUBJECT)
    assert plan.counts()["cache entry"] == 4 and version.name in plan.unknown
    assert entry.key not in {unit.path.name for unit in plan.units}
