"""Where a document is."""

from pipelines.deletion.carry_out import delete
from pipelines.deletion.plan import plan_deletion
from pipelines.deletion.trace import trace
from robo_poet.corpus.curation.dropped import DELETED, NEAR, Dropped
from robo_poet.deletion.selection import Selection
from tests.pipelines.deletion.conftest import NAME, POEM, World, document


def test_a_document_is_traced_from_its_corpus_to_the_versions(world: World) -> None:
    (one,), _, receipts = trace(world.folders, Selection(pieces=("where the slow RIVER bends",)))
    assert receipts == {}
    told = one.to_json()
    assert (told["id"], told["author"], told["licence"], told["consent"], told["split"]) == ("heron", NAME, "by permission", "", "train")
    assert told["corpus"] == "/home/mine"
    assert {step: len(keys) for step, keys in told["steps"].items()} == {"ingest": 1, "scrub-pii": 1, "train-model": 1, "write-report": 1}
    assert told["runs"] == ["2026-mine"] and told["findings"] == {"PERSON": 1} and told["copies"] == 0
    assert [(item["version"], item["splits"]) for item in told["versions"]] == [("poems/1", {"train": 1})]
    assert "text" not in told


def test_a_document_of_two_corpora(world: World) -> None:
    traces, _, _ = trace(world.folders, Selection(documents=("other-0",)))
    assert len(traces) == 1
    assert traces[0].runs == ["2026-mine", "2026-other"]
    assert [item.version.name for item in traces[0].versions] == ["poems/1", "poems/2"]


def test_a_deleted_document_has_a_receipt(world: World) -> None:
    delete(plan_deletion(world.folders, Selection(subjects=(NAME,))))
    traces, _, receipts = trace(world.folders, Selection(subjects=("ANN BELL",)))
    assert traces == []
    (receipt,) = receipts.values()
    assert [item["version"] for item in receipt["versions"]] == ["poems/1"]


def test_a_document_that_was_left_out(world: World) -> None:
    row = Dropped("heron-2", NEAR, "heron-2", "The heron", NAME, "user", "heron", 0.93)
    world.training("third", [document("heron", POEM, author=NAME), document("sea", "The sea.")], dropped=[row, Dropped("", DELETED)])
    for selection in (Selection(documents=("heron-2",)), Selection(titles=("the HERON",))):
        traces, (left_out,), _ = trace(world.folders, selection)
        assert traces == []
        told = left_out.to_json()
        assert told["why"] == "near-duplicate of heron (similarity 0.93)" and told["author"] == NAME
        assert told["corpora"] == ["/home/third"] and told["runs"] == ["2026-third"] and len(told["keys"]) == 1
    traces, left, _ = trace(world.folders, Selection(authors=(NAME,)))
    assert [item.document.id for item in traces] == ["heron"] and [item.row.id for item in left] == ["heron-2"]
