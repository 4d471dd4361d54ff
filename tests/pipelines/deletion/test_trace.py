"""Where a document is."""

from pipelines.deletion.carry_out import delete
from pipelines.deletion.plan import plan_deletion
from pipelines.deletion.trace import trace
from robo_poet.deletion.selection import Selection
from tests.pipelines.deletion.conftest import NAME, World


def test_a_document_is_traced_from_its_corpus_to_the_versions(world: World) -> None:
    (one,), receipts = trace(world.folders, Selection(pieces=("where the slow RIVER bends",)))
    assert receipts == {}
    told = one.to_json()
    assert (told["id"], told["author"], told["licence"], told["consent"], told["split"]) == ("heron", NAME, "by permission", "", "train")
    assert told["corpus"] == "/home/mine"
    assert {step: len(keys) for step, keys in told["steps"].items()} == {"ingest": 1, "scrub-pii": 1, "train-model": 1, "write-report": 1}
    assert told["runs"] == ["2026-mine"] and told["findings"] == {"PERSON": 1} and told["copies"] == 0
    assert [(item["version"], item["splits"]) for item in told["versions"]] == [("poems/1", {"train": 1})]
    assert "text" not in told


def test_a_document_of_two_corpora(world: World) -> None:
    traces, _ = trace(world.folders, Selection(documents=("other-0",)))
    assert len(traces) == 1
    assert traces[0].runs == ["2026-mine", "2026-other"]
    assert [item.version.name for item in traces[0].versions] == ["poems/1", "poems/2"]


def test_a_deleted_document_has_a_receipt(world: World) -> None:
    delete(plan_deletion(world.folders, Selection(subjects=(NAME,))))
    traces, receipts = trace(world.folders, Selection(subjects=("ANN BELL",)))
    assert traces == []
    (receipt,) = receipts.values()
    assert [item["version"] for item in receipt["versions"]] == ["poems/1"]
