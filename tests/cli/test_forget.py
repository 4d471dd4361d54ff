"""`robo-poet forget` and `robo-poet data trace`, as a person types them.

Covers: trace.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from robo_poet.corpus.curation.dropped import NEAR, Dropped
from robo_poet.deletion.records import JOURNAL, read_receipts
from robo_poet.errors import BadInput
from tests.pipelines.deletion.conftest import NAME, POEM, World, document, filled

Type = Callable[..., Result]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = filled(tmp_path / "world")
    monkeypatch.chdir(world.root)
    (tmp_path / "here.yaml").write_text(
        "local: {store: store, runs: runs, registry: registry, deletions: deletions}\nserve: {folder: serve}\n"
    )
    return world


@pytest.fixture
def typed(world: World) -> Type:
    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--profile", "../here.yaml"])

    return call


def test_shown_then_removed_then_nothing(world: World, typed: Type) -> None:
    shown = typed("forget", "--subject", NAME)
    assert shown.exit_code == 0
    assert "would remove: 1 document, 4 cache entries" in shown.stdout and "2 requests" in shown.stdout
    assert "poems/1" in shown.stdout and "archive and purge it" in shown.stdout
    assert "nothing was removed yet; to remove it, repeat the command with --yes" in shown.stdout
    assert not world.folders.deletions.exists()
    removed = typed("forget", "--subject", NAME, "--yes")
    assert "removed: 1 document" in removed.stdout and "receipt: " in removed.stdout
    again = typed("forget", "--subject", "ANN  BELL", "--yes")
    assert again.exit_code == 0
    lines = again.stdout.splitlines()
    assert lines[0] == "no stored document, file or record matches; nothing was removed"
    assert lines[1].startswith("deleted before on 20") and lines[1].endswith("still stored: poems/1")
    assert len(read_receipts(world.folders.deletions)) == 1
    traced = typed("data", "trace", "--subject", NAME)
    assert "no stored document matches" in traced.stdout and "versions trained on it: poems/1" in traced.stdout


def test_json(world: World, typed: Type) -> None:
    plan = json.loads(typed("forget", "--document", "heron", "--json").stdout)
    assert plan["counts"]["documents"] == 1 and [item["do"] for item in plan["versions"]] == ["retire"]
    assert plan["receipt"] is None and plan["exposures"] == {}
    done = json.loads(typed("forget", "--document", "heron", "--json", "--yes").stdout)
    assert Path(done["receipt"]).is_file()
    traced = json.loads(typed("data", "trace", "--document", "heron", "--json").stdout)
    assert traced["documents"] == [] and len(traced["deleted"]) == 1


def test_a_trace(typed: Type) -> None:
    printed = typed("data", "trace", "--author", NAME).stdout
    for part in ("heron", "by permission", "1 PERSON", "2026-mine", "poems/1 (candidate): 1 train", "/home/mine"):
        assert part in printed


def test_documents_that_were_left_out(world: World, typed: Type) -> None:
    row = Dropped("heron-draft", NEAR, source="user", duplicate_of="heron", value=0.93)
    world.training("third", [document("heron", POEM, author=NAME), document("sea", "The sea.")], dropped=[row])
    printed = typed("data", "trace", "--document", "heron-draft").stdout
    assert (
        "heron-draft: left out by ingest: near-duplicate of heron (similarity 0.93); origin user, /home/third; runs 2026-third" in printed
    )
    (traced,) = json.loads(typed("data", "trace", "--document", "heron-draft", "--json").stdout)["left_out"]
    assert (traced["reason"], traced["duplicate_of"], traced["value"]) == ("near_duplicate", "heron", 0.93)
    assert "warning: heron-draft repeats heron with changed words (similarity 0.93)" in typed("forget", "--document", "heron").stdout
    printed = typed("forget", "--document", "heron-draft", "--yes").stdout
    assert "warning: heron-draft was left out: near-duplicate of heron (similarity 0.93), which is stored and not selected" in printed
    assert world.containing("heron-draft") == []


def test_an_interrupted_deletion_is_finished_first(world: World, typed: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.deletion.carry_out._remove", fail)
        typed("forget", "--subject", NAME, "--yes")
    assert (world.folders.deletions / JOURNAL).exists()
    told = typed("forget")
    assert told.exit_code == 0 and "an earlier deletion was interrupted; to finish it: " in told.output
    refused = typed("run", "--corpus", str(world.root))
    assert isinstance(refused.exception, BadInput) and "a deletion was interrupted; to finish it: " in str(refused.exception)
    finished = typed("forget", "--yes")
    assert finished.exit_code == 0 and "finished an interrupted deletion; receipt: " in finished.output
    assert world.containing(NAME) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("forget",), "nothing is selected; give --subject, --source or --document"),
        (("forget", "--subject", "…"), "--subject: '…' has 0 letters and digits"),
        (("forget", "--source", "user"), "the selection matches all 7 stored documents; select fewer, or confirm with --all"),
        (("forget", "--subject", NAME, "--also", "nowhere"), "--also nowhere: no such folder"),
        (("data", "trace"), "nothing is selected; give --document, --title, --author, --source, --subject or --text"),
        (("data", "trace", "--text", "the"), "--text: 'the' has 3 letters and digits; at least 8 are needed"),
    ],
)
def test_wrong_input(world: World, typed: Type, arguments: tuple[str, ...], message: str) -> None:
    before = world.containing(NAME)
    result = typed(*arguments)
    assert isinstance(result.exception, BadInput) and message in str(result.exception)
    assert world.containing(NAME) == before
