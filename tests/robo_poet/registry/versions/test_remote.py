"""What is written through a bucket is the same registry as in a folder: versions, attestations, decisions and log."""

from pathlib import Path
from typing import Any

from robo_poet.registry.copying import copy, open_files
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust

SAID = {"who": "ada", "why": "test"}


def use(registry: Registry, folder: Path) -> None:
    registry.add_source("/poems", same_model=False, **SAID)
    for seed in (1, 2, 3):
        (folder / "weights").write_text(str(seed))
        files = {"weights": folder / "weights"}
        registry.register(files, metrics={"perplexity": 40.0}, lineage={"seed": seed}, decision={}, stage="candidate", **SAID)
    registry.promote(1, **SAID)
    registry.judge_again(2, {"verdict": "rejected"}, {"perplexity": 50.0}, verdict="rejected", **SAID)
    registry.start_canary(3, **SAID)
    registry.set_share(3, 0, 0.05, **SAID)
    registry.promote(3, watch_share=0.05, **SAID)
    registry.purge(2, **SAID)


def test_a_registry_that_was_written_in_a_bucket_is_that_of_a_folder(gcs: Any, tmp_path: Path) -> None:
    gcs.create_bucket("remote")
    remote, here = Registry("gs://remote/registry", "poems"), Registry(tmp_path / "here", "poems")
    for registry in (remote, here):
        use(registry, tmp_path)
    copy(open_files("gs://remote/registry"), open_files(str(tmp_path / "back")), "poems", Trust())
    back = Registry(tmp_path / "back", "poems")
    assert back.log() == remote.log() and back.state() == remote.state()
    for registry in (remote, back):
        assert [version.number for version in registry.verify()] == [1, 3]
        assert [(v.digest, v.stage, v.read("weights")) for v in registry.verify()] == [
            (v.digest, v.stage, v.read("weights")) for v in here.verify()
        ]
        assert registry.decisions(2)[-1].decision == here.decisions(2)[-1].decision
        assert registry.decision(1) == here.decision(1)
        assert registry.unregistered_folders() == [] == here.unregistered_folders()
