from pathlib import Path

import pytest

from pipelines.cluster.submit import cluster_parameters
from pipelines.local import champion, parameters_here
from pipelines.profile.load import load_profile
from robo_poet.errors import BadInput
from robo_poet.registry.entry import OtherSource
from robo_poet.registry.registry import Registry


def test_a_local_run_passes_the_champions_digest(tmp_path: Path) -> None:
    profile = load_profile("ci", [f"local.registry={tmp_path / 'registry'}"]).profile
    assert parameters_here(profile, "")["champion"] == "none"
    assert not (tmp_path / "registry").exists()
    (tmp_path / "weights").write_text("w")
    registry = Registry(tmp_path / "registry", "ci-shakespeare")
    version = registry.register({"weights": tmp_path / "weights"}, metrics={}, lineage={}, decision={}, stage="candidate", who="a", why="b")
    assert champion(registry.root, registry.model) == "none", "a candidate is no champion"
    registry.promote(1, who="a", why="b")
    assert parameters_here(profile, "")["champion"] == version.digest == champion(registry.root, registry.model)


def test_a_cluster_run_reads_the_champion_when_it_starts_the_step() -> None:
    assert cluster_parameters(load_profile("rtx").profile, source="")["champion"] == ""


def test_a_corpus_from_another_address_is_refused_before_it_is_read(tmp_path: Path) -> None:
    profile = load_profile("ci", [f"local.registry={tmp_path / 'registry'}"]).profile
    Registry(tmp_path / "registry", "ci-poems").add_source("/home/ann/poems", who="a", why="b", same_model=False)
    with pytest.raises(OtherSource, match="model ci-poems: this model has been trained on /home/ann/poems, not on /home/bob/poems"):
        parameters_here(profile, "/home/bob/poems")
    with pytest.raises(BadInput, match="/home/bob/poems: no such"):  # the name of another model is accepted, and then the corpus is read
        parameters_here(profile, "/home/bob/poems", "bobs-poems")
