from pathlib import Path

from pipelines.cluster.submit import cluster_parameters
from pipelines.local import champion, parameters_here
from pipelines.profile.load import load_profile
from robo_poet.registry.registry import Registry


def test_a_local_run_passes_the_champions_digest(tmp_path: Path) -> None:
    profile = load_profile("ci", [f"local.registry={tmp_path / 'registry'}"]).profile
    assert parameters_here(profile, "")["champion"] == "none"
    assert not (tmp_path / "registry").exists()
    (tmp_path / "weights").write_text("w")
    registry = Registry(tmp_path / "registry")
    version = registry.register({"weights": tmp_path / "weights"}, metrics={}, lineage={}, decision={}, stage="candidate", who="a", why="b")
    assert champion(registry.root) == "none", "a candidate is no champion"
    registry.promote(1, who="a", why="b")
    assert parameters_here(profile, "")["champion"] == version.digest == champion(registry.root)


def test_a_cluster_run_reads_the_champion_when_it_starts_the_step() -> None:
    assert cluster_parameters(load_profile("rtx").profile, source="")["champion"] == ""
