"""A deletion leaves no trace of the person, and survives a kill at any point."""

import fcntl
import json
import os
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from pipelines.deletion.carry_out import delete, finish_interrupted
from pipelines.deletion.plan import plan_deletion
from robo_poet.corpus.curation.dropped import EMPTY, EXACT, FEW_WORDS, NEAR, QUALITY_REASONS, Dropped
from robo_poet.deletion.records import JOURNAL, Journal, new_receipt_name, read_receipts, write_journal
from robo_poet.deletion.selection import Selection
from robo_poet.deletion.suppression import read_suppression
from robo_poet.errors import BadInput
from robo_poet.outcomes.log import OutcomeLog
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.outcomes.record import AssignedArm, Outcome
from robo_poet.request_log.query import read
from tests.pipelines.deletion.conftest import NAME, OTHERS, POEM, World, document, filled

SUBJECT = Selection(subjects=(NAME,))
PLANTED = (NAME, "ann_bell", "heron waits", "nobody counts the hours")


def run(world: World) -> None:
    """What `forget --yes` does."""
    finish_interrupted(world.folders)
    plan = plan_deletion(world.folders, SUBJECT)
    if plan.removes:
        delete(plan)


def check_deleted(world: World) -> None:
    assert world.containing(*PLANTED) == []
    assert not plan_deletion(world.folders, SUBJECT).removes, "a second run finds nothing"
    assert sorted(path.name for path in world.folders.runs.iterdir()) == ["2026-other", "latest"]
    assert len(list((world.folders.store / "done").iterdir())) == 4
    assert read(world.folders.requests)["completion_id"].to_pylist() == ["three"]
    suppression = read_suppression(world.folders.deletions)
    assert suppression and suppression.suppresses(document("renamed", POEM.upper()))
    assert suppression.suppresses(document("new", "A new poem.", author=NAME))
    assert not any(suppression.suppresses(document(id_, text)) for id_, text in OTHERS.items())
    assert not (world.folders.deletions / JOURNAL).exists()


def test_nothing_is_left(world: World) -> None:
    assert len(world.containing(*PLANTED)) > 5
    version = next(world.folders.registry.glob("poems/versions/*"))
    files = sorted((path.name, path.stat().st_mtime_ns) for path in version.rglob("*"))
    receipt, pending = delete(plan_deletion(world.folders, SUBJECT))
    assert pending == 0
    check_deleted(world)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in version.rglob("*")) == files, "versions are immutable"
    content = json.loads(receipt.read_text())
    assert content["removed"] == {
        "documents": 1, "cache entry": 4, "leftover": 1, "report": 2, "run": 1, "working folder": 1, "requests": 2,
    }  # fmt: skip
    assert [(item["version"], item["do"], item["splits"]) for item in content["versions"]] == [("poems/1", "retire", {"train": 1})]
    assert receipt.stat().st_mode & 0o077 == 0
    assert "heron" not in receipt.read_text() and "/home" not in receipt.read_text()


def test_the_outcomes_of_the_person_are_blanked_also_without_a_request_log(world: World) -> None:
    shutil.rmtree(world.folders.requests)
    folder, arm = world.folders.requests.parent / "outcomes" / "poems", AssignedArm("d:7", 0, "canary")
    log = OutcomeLog(folder)
    for user in ("p" * 32, "q" * 32):
        log.begin(arm)
        log.end(arm, Outcome(1_800_000_000.0, user, 2, "canary", 200, 0.5))
    log.close()
    plan = plan_deletion(world.folders, SUBJECT, pseudonym=lambda name: "p" * 32)
    assert plan.pseudonyms == {"p" * 32: 1}
    delete(plan)
    assert [fields["user"] for _, fields in OutcomeReader(folder).read()] == ["q" * 32]
    assert plan_deletion(world.folders, SUBJECT, pseudonym=lambda name: "p" * 32).pseudonyms == {}


class Killed:
    """Kills the process at its n-th change of a folder."""

    NAMES = ("rename", "replace", "unlink", "rmdir", "fsync", "mkdir", "symlink")

    def __init__(self, at: int) -> None:
        self.left = at

    def install(self) -> None:
        for name in self.NAMES:
            setattr(os, name, self.wrap(getattr(os, name)))
        shutil.rmtree.avoids_symlink_attacks = True  # type: ignore[attr-defined]

    def wrap(self, function: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call


def killed(world: World, at: int) -> bool:
    """Run a deletion in a child process that is killed at its n-th change. Return False if it ended before."""
    child = os.fork()
    if child == 0:
        try:
            Killed(at).install()
            run(world)
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def changes(world: World) -> int:
    """Return the number of changes of folders in a whole deletion."""
    counter = Killed(1_000_000)
    with pytest.MonkeyPatch.context() as patch:
        for name in Killed.NAMES:
            patch.setattr(os, name, counter.wrap(getattr(os, name)))
        run(world)
    return 1_000_000 - counter.left


def check_kills(tmp_path: Path, points: list[int]) -> None:
    template = filled(tmp_path / "template" / "world").root
    for point in points:
        shutil.copytree(template, tmp_path / str(point) / "world", symlinks=True)
        world = World(tmp_path / str(point) / "world")
        for again in (point, max(1, point // 2)):  # the second is also killed
            killed(world, again)
        run(world)
        check_deleted(world)
        assert len(read_receipts(world.folders.deletions)) == 1
        shutil.rmtree(tmp_path / str(point))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_some_points(tmp_path: Path) -> None:
    total = changes(filled(tmp_path / "count" / "world"))
    assert total > 40
    check_kills(tmp_path, sorted(random.Random(1).sample(range(1, total + 1), 6)))


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_each_point(tmp_path: Path) -> None:
    check_kills(tmp_path, list(range(1, changes(filled(tmp_path / "count" / "world")) + 1)))


def test_a_run_in_progress_is_not_disturbed(world: World) -> None:
    before = world.containing(*PLANTED)
    handle = os.open(world.folders.runs / "2026-other", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(BadInput, match="a run is in progress; wait until it ends, then repeat"):
            delete(plan_deletion(world.folders, SUBJECT))
    finally:
        os.close(handle)
    assert world.containing(*PLANTED) == before
    assert not (world.folders.deletions / JOURNAL).exists()


def test_two_deletions_at_the_same_time(world: World) -> None:
    delete(plan_deletion(world.folders, Selection(documents=("other-1",))))
    handle = os.open(world.folders.deletions, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(BadInput, match="another deletion is running"):
            delete(plan_deletion(world.folders, SUBJECT))
    finally:
        os.close(handle)


def test_a_journal_removes_nothing_outside_the_folders(world: World, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    run(world)
    write_journal(world.folders.deletions, Journal(new_receipt_name(), (), (("run", str(tmp_path / "mine")),), "", (), ()))
    with pytest.raises(BadInput, match="not below the store, the runs or the reports"):
        finish_interrupted(world.folders)
    assert (tmp_path / "mine").exists()


def test_a_damaged_journal_is_refused(world: World) -> None:
    run(world)
    (world.folders.deletions / JOURNAL).write_text('{"form": 1}')
    with pytest.raises(BadInput, match="the journal is damaged"):
        finish_interrupted(world.folders)
    (world.folders.deletions / JOURNAL).write_text('{"form": 9}')
    with pytest.raises(BadInput, match="the journal is of another form"):
        finish_interrupted(world.folders)


def test_a_document_that_was_left_out_leaves_no_id(world: World) -> None:
    """By id or by author; results of other trainings stay, although their tables of left-out documents may be equal."""
    others = [document(id_, text) for id_, text in OTHERS.items()]
    rows = [Dropped("stray-7", FEW_WORDS, author="Cyd Moss", source="user", value=2), Dropped("kept-note", EMPTY)]
    world.training("third", others[:5], dropped=rows)
    assert world.containing("stray-7") and world.containing("cyd moss")
    plan = plan_deletion(world.folders, Selection(subjects=("Cyd Moss",)))
    assert [item.row.id for item in plan.search.left_out] == ["stray-7"] and not plan.versions
    delete(plan)
    assert world.containing("stray-7", "cyd moss", "kept-note") == []
    assert sorted(path.name for path in world.folders.runs.iterdir()) == ["2026-mine", "2026-other", "latest"]
    suppression = read_suppression(world.folders.deletions)
    assert suppression and suppression.suppresses(document("new", "Another poem.", author="Cyd Moss"))
    assert not plan_deletion(world.folders, Selection(subjects=("Cyd Moss",))).removes


def test_the_names_in_the_rows_of_a_quality_rule_are_found_and_deleted(world: World) -> None:
    """In each column that comes from the source. The person is in no corpus, so the tables of left-out documents are all there is."""
    person = "Cyd Moss"
    columns = {"id": f"letter of {person}", "group": f"letters/{person}", "title": f"To {person}", "author": person.upper()}
    rows = [
        Dropped(**{"id": f"row {n}-{column}", "source": "user", column: value}, reason=reason, value=0.5)
        for n, reason in enumerate(QUALITY_REASONS)
        for column, value in columns.items()
    ]
    others = [document(id_, text) for id_, text in OTHERS.items()]
    world.training("third", others[:5], dropped=rows)
    tables = world.containing(person)
    assert len(tables) == 1 and tables[0].endswith("/artifacts/dropped"), "the report and the version have counts only"
    plan = plan_deletion(world.folders, Selection(subjects=(person,)))
    assert {item.row.id for item in plan.search.left_out} == {row.id for row in rows}
    delete(plan)
    assert world.containing(person) == []
    assert not plan_deletion(world.folders, Selection(subjects=(person,))).removes


def test_equal_tables_of_left_out_documents_do_not_join_trainings(world: World) -> None:
    delete(plan_deletion(world.folders, SUBJECT))
    assert len(list((world.folders.store / "done").iterdir())) == 4, "the training `other`, whose table is empty too"


def test_near_duplicates_that_would_take_the_place_of_a_document_are_named(world: World) -> None:
    row = Dropped("heron-draft", NEAR, duplicate_of="heron", value=0.8)
    world.training(
        "third",
        [document("heron", POEM, author=NAME), document("sea", "The sea.")],
        dropped=[row, Dropped("x", NEAR, duplicate_of="sea", value=0.9)],
    )
    plan = plan_deletion(world.folders, SUBJECT)
    assert [item.row for item in plan.search.repeating] == [row]
    delete(plan)
    assert world.containing("heron-draft") == []


def test_the_text_of_an_exact_duplicate_that_was_left_out_is_deleted(world: World) -> None:
    """Also if the kept document has another id."""
    world.training(
        "third", [document("heron", POEM), document("sea", "The sea.")], dropped=[Dropped("heron-copy", EXACT, duplicate_of="heron")]
    )
    delete(plan_deletion(world.folders, Selection(documents=("heron-copy",))))
    assert world.containing("heron-copy") == []
    assert not any(corpus for corpus in world.containing("heron waits") if "done" in corpus and "dropped" not in corpus)
    suppression = read_suppression(world.folders.deletions)
    assert suppression and suppression.suppresses(document("heron-copy", POEM))
