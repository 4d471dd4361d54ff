from pathlib import Path

import pytest

from pipelines.cluster.submit import cluster_parameters
from pipelines.compile import suppression_on_cluster
from pipelines.local import champion, parameters_here
from pipelines.profile.load import load_profile
from robo_poet.deletion.records import Journal, write_journal
from robo_poet.deletion.suppression import add_digests, list_digest, open_suppression
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import OtherSource
from robo_poet.registry.registry import Registry
from tests.repository.commands import make_fault


def test_a_local_run_passes_the_champions_digest(tmp_path: Path) -> None:
    profile = load_profile("ci", [f"local.registry={tmp_path / 'registry'}"]).profile
    assert parameters_here(profile, "")["champion"] == "none"
    assert not (tmp_path / "registry").exists()
    (tmp_path / "weights").write_text("w")
    registry = Registry(tmp_path / "registry", "ci-shakespeare")
    version = registry.register({"weights": tmp_path / "weights"}, metrics={}, lineage={}, decision={}, stage="candidate", who="a", why="b")
    assert champion(registry.root, registry.model) == "none", "a candidate is not a champion"
    registry.promote(1, who="a", why="b")
    assert parameters_here(profile, "")["champion"] == version.digest == champion(registry.root, registry.model)


def test_a_cluster_run_reads_the_champion_when_it_starts_the_step() -> None:
    assert cluster_parameters(load_profile("rtx").profile, source="")["champion"] == ""


def test_a_cluster_run_reads_the_list_of_deleted_documents_or_is_refused(tmp_path: Path) -> None:
    folder, here = tmp_path / "deletions", f"local.deletions={tmp_path / 'deletions'}"
    with_secret = load_profile("rtx", [here, "cluster.deletions_secret=forgotten"]).profile
    unpinned = {"suppression": "/etc/robo-poet/deletions", "suppression_digest": ""}
    assert suppression_on_cluster(load_profile("rtx", [here]).profile) == {"suppression": "", "suppression_digest": ""}
    assert suppression_on_cluster(with_secret) == unpinned, "another machine may have the list"
    add_digests(folder, [open_suppression(folder).digest("text", "A poem")])
    for moving in (False, True):
        with pytest.raises(BadInput, match="deletions: documents were deleted on request, and a run on the cluster would read them again"):
            cluster_parameters(load_profile("rtx", [here]).profile, source="", moving_source=moving)
    assert cluster_parameters(with_secret, source="").items() >= {**unpinned, "suppression_digest": list_digest(folder)}.items()
    assert cluster_parameters(with_secret, source="", moving_source=True).items() >= unpinned.items()
    write_journal(folder, Journal("20260301T183000Z-5a1c.json", (), (), "", (), ()))
    with pytest.raises(BadInput, match="deletion"):
        cluster_parameters(with_secret, source="")


def test_a_corpus_from_another_address_is_refused_before_it_is_read(tmp_path: Path) -> None:
    profile = load_profile("ci", [f"local.registry={tmp_path / 'registry'}"]).profile
    Registry(tmp_path / "registry", "ci-poems").add_source("/home/ann/poems", who="a", why="b", same_model=False)
    with pytest.raises(
        OtherSource, match="model ci-poems: this model has been trained on /home/ann/poems, not on /home/bob/poems"
    ) as refused:
        parameters_here(profile, "/home/bob/poems")
    for variable in ("MODEL=NAME", "ARGS=--same-model"):  # `make run-pipeline --same-model` is an error of make
        assert f"(make: {variable})" in str(refused.value) and make_fault(["run-pipeline", variable]) == ""
    with pytest.raises(BadInput, match="/home/bob/poems: no such"):  # the name of another model is accepted, and then the corpus is read
        parameters_here(profile, "/home/bob/poems", "bobs-poems")
