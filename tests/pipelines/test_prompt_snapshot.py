from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.compile import chosen_settings, run_parameters, settings_parameters
from pipelines.profile.load import Profile, load_profile
from pipelines.prompt_snapshot import LARGEST, SETTING, resolve_snapshot
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.features.prompt_snapshot import PromptSnapshot, count_passages, write_snapshot

Stored = Callable[..., tuple[PromptSnapshot, Path]]


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    """Write a snapshot of the model `poems`."""

    def write(**fields: Any) -> tuple[PromptSnapshot, Path]:
        prompts = count_passages((f"the night is long {number}", None) for number in range(fields.pop("prompts", 9)))
        values = {"model": "poems", "first_day": "2026-03-01", "last_day": "2026-03-02", "users": 6, "left_out": {}}
        snapshot = PromptSnapshot(**{**values, **fields}, prompts=prompts)
        return snapshot, write_snapshot(tmp_path / "registry", snapshot)

    return write


def profile_with(tmp_path: Path, name: str) -> Profile:
    return load_profile("ci", [f"local.registry={tmp_path / 'registry'}", f"{SETTING}={name}"]).profile


def test_latest_a_digest_and_a_path_name_the_same_snapshot(tmp_path: Path, stored: Stored) -> None:
    stored(last_day="2026-03-01", prompts=20)
    stored(prompts=8)
    newest, path = stored()
    for name in ("latest", newest.digest, newest.digest[:12], str(path)):
        assert resolve_snapshot(name, tmp_path / "registry", "poems") == (newest.to_text(), newest.digest)
    assert resolve_snapshot("", tmp_path / "registry", "poems") == ("", "")


def test_a_run_carries_the_text_and_the_digest_and_no_path(tmp_path: Path, stored: Stored) -> None:
    snapshot, path = stored()
    for name in ("latest", snapshot.digest[:12], str(path)):
        profile = profile_with(tmp_path, name)
        parameters = run_parameters(profile, source="", registry="r", model="poems", chosen=chosen_settings("ci", profile))
        assert (parameters["prompts"], parameters["validation"]["prompt_snapshot"]) == (snapshot.to_text(), snapshot.digest)
        assert parameters["lineage"]["settings"]["validation"]["prompt_snapshot"] == snapshot.digest
        assert str(path.parent) not in str(parameters["lineage"])
    later, _ = stored(last_day="2026-03-09")
    assert parameters["validation"]["prompt_snapshot"] == snapshot.digest != later.digest  # a newer one does not change a run
    assert run_parameters(load_profile("ci").profile, source="", registry="r")["prompts"] == ""
    assert settings_parameters(load_profile("ci").profile)["validation"]["prompt_snapshot"] == ""


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("latest", "{folder}: the model plays has no snapshot; take one: "),
        ("0123456789ab", "{folder}: no snapshot of the model plays has a digest that begins with 0123456789ab; take one: "),
        ("{home}/none.json", "{home}/none.json: no such file or directory; take a snapshot: "),
        ("{home}", "{home}: a folder, not a file; "),
        ("{home}/big.json", "{home}/big.json: the snapshot of prompts has more than 64 kB"),
        ("{home}/latin.json", "{home}/latin.json: not UTF-8 text; "),
        ("{home}/list.json", "{home}/list.json: a JSON object is needed, not list"),
        ("{home}/other.json", "{home}/other.json: the snapshot of prompts has the format 'robo-poet prompts 2'; this release reads "),
    ],
)
def test_a_snapshot_that_cannot_be_used_is_one_line_at_submission(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "big.json").write_text("x" * (LARGEST + 1))
    (tmp_path / "latin.json").write_bytes(b"\xe9")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "other.json").write_text('{"format": "robo-poet prompts 2"}')
    places = {"home": str(tmp_path), "folder": str(tmp_path / "registry" / "plays" / "prompts")}
    with pytest.raises(BadInput) as error:
        run_parameters(profile_with(tmp_path, name.format(**places)), source="", registry="r", model="plays")
    assert str(error.value).removeprefix(f"{SETTING}: ").startswith(what.format(**places)) and "\n" not in str(error.value)


def test_a_changed_file_is_refused_by_each_name(tmp_path: Path, stored: Stored) -> None:
    snapshot, path = stored()
    path.write_text(snapshot.to_text().replace('"users":6', '"users":7'))
    for name in ("latest", snapshot.digest[:12], str(path)):
        with pytest.raises(BadInput, match=r"the snapshot of prompts was changed \(digest was "):
            resolve_snapshot(name, tmp_path / "registry", "poems")


def test_an_ambiguous_digest_is_refused(tmp_path: Path, stored: Stored) -> None:
    snapshot, path = stored()
    path.with_name(f"{snapshot.digest[:12]}{'0' * 52}.json").write_text("{}")
    with pytest.raises(BadInput, match="2 snapshots of the model poems have a digest that begins with"):
        resolve_snapshot(snapshot.digest[:12], tmp_path / "registry", "poems")
    assert digest_bytes(snapshot.to_text().encode()) == snapshot.digest
