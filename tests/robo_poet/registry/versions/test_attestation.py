"""Attestations of versions, which a forger swaps, removes or writes."""

import json
import shutil
from pathlib import Path

import pytest

from robo_poet.digest import digest_bytes
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.keys import parse_keys
from robo_poet.registry.versions.attestation import PREDICATE, STATEMENT, statement
from tests.robo_poet.registry.conftest import Register


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, add: Register) -> Registry:
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "home"))
    registry = Registry(tmp_path / "registry", "poems")
    for seed in (1, 2):
        add(registry, seed, lineage={"inputs": {"corpus": "c" * 64, "tokenizer": "7" * 64}, "code": {"x": "1"}, "settings": {"seed": seed}})
    return registry


def file(registry: Registry, number: int) -> Path:
    return registry.folder / "attestations" / f"{registry.version(number).attestation}.json"


def write(path: Path, text: str) -> None:
    path.chmod(0o644)
    path.write_text(text)


def test_a_statement_names_files_and_origin(two: Registry) -> None:
    manifest = (two.version(2).folder / "manifest.json").read_bytes()
    said = statement("poems", 2, manifest)
    assert (said["_type"], said["predicateType"]) == (STATEMENT, PREDICATE)
    assert [resource["name"] for resource in said["predicate"]["resources"]] == ["manifest.json", "model/weights"]
    origin = said["predicate"]["robo_poet"]
    assert (origin["model"], origin["version"], origin["manifest"]) == ("poems", 2, digest_bytes(manifest))
    assert (origin["corpus"], origin["tokenizer"], origin["settings"]) == ("c" * 64, "7" * 64, {"seed": 2})
    assert (origin["metrics"], origin["verdicts"], origin["code"]) == ({"perplexity": 40}, {"verdict": "accepted"}, {"x": "1"})


def test_a_missing_or_changed_attestation_stops_the_release(two: Registry) -> None:
    text = file(two, 1).read_text()
    write(file(two, 1), text.replace("poems", "odes") + " ")
    with pytest.raises(Corrupt, match="the attestation of poems/1 was changed"):
        two.promote(1, who="ada", why="x")
    file(two, 1).unlink()
    with pytest.raises(Corrupt, match="the attestation of poems/1 is missing"):
        two.promote(1, who="ada", why="x")
    assert two.champion() is None


def test_an_attestation_of_another_version_or_key_is_refused(two: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = (two.version(1).folder / "manifest.json").read_bytes()
    attestations, second = two._attestations, two.version(2).attestation
    with pytest.raises(Corrupt, match="made for another version than poems/1"):
        attestations.check(1, manifest, second)
    with pytest.raises(Corrupt, match="made for another version than poems/3"):
        attestations.check(3, manifest, two.version(1).attestation)
    bundle = json.loads(file(two, 1).read_text())
    for change, message in (("", "is not an attestation"), ("signatures", "has no signature"), ("sig", "differs from what was signed")):
        opened = {**bundle["dsseEnvelope"]}
        if change:
            opened["signatures"] = [] if change == "signatures" else [{"sig": "!", "keyid": ""}]
        text = json.dumps({**bundle, "dsseEnvelope": opened}) if change else "[]"
        (two.folder / "attestations" / f"{digest_bytes(text.encode())}.json").write_text(text)
        with pytest.raises(Corrupt, match=message):
            attestations.check(1, manifest, digest_bytes(text.encode()))
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "forger"))
    forged = Registry(two.root, "poems")._attestations.write(1, manifest)
    with pytest.raises(Corrupt, match="is signed by an unknown key"):
        attestations.check(1, manifest, forged)


def test_swapped_folders_and_added_files_stop_the_release(two: Registry) -> None:
    first, second = two.version(1).folder, two.version(2).folder
    first.rename(first.with_name("aside"))
    second.rename(first)
    first.with_name("aside").rename(second)
    with pytest.raises(Corrupt, match="the manifest was changed"):
        two.promote(1, who="ada", why="x")
    shutil.rmtree(first)
    second.rename(first)
    (first / "model" / "assets.extra").write_text("evil")
    with pytest.raises(Corrupt, match="model/assets.extra was added"):
        two.promote(1, who="ada", why="x")


@pytest.mark.soak
def test_the_tool_of_openssf_verifies_a_version(two: Registry, tmp_path: Path) -> None:
    """Needs `model-signing` 1.1.1 and `pyopenssl` in this environment; no group has them."""
    verifying = pytest.importorskip("model_signing.verifying")
    key = tmp_path / "key.pem"
    key.write_text(parse_keys((tmp_path / "home" / "trusted_keys").read_text(), "x")[0].pem)
    config = verifying.Config().use_elliptic_key_verifier(public_key=key)
    config.verify(two.version(2).folder, file(two, 2))
    with pytest.raises(ValueError, match="mismatch"):
        config.verify(two.version(1).folder, file(two, 2))
