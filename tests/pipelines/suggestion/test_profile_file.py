from pathlib import Path

import pytest
import yaml

from pipelines.profile.load import load_profile
from pipelines.suggestion.choose import Choice, Suggestion, suggest
from pipelines.suggestion.profile_file import profile_path, profile_text, write_profile
from robo_poet.errors import BadInput
from tests.pipelines.suggestion.test_choose import corpus


@pytest.mark.parametrize("name", ["", "Poems", "../poems", "a" * 41, "1st", "poems.yaml", "a b"])
def test_a_name_that_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a name of a profile"):
        profile_path(name, force=True, folder=tmp_path)


def test_only_a_written_profile_is_overwritten_and_only_with_force(tmp_path: Path) -> None:
    suggestion = suggest(corpus(0.5))
    assert suggestion
    path = profile_path("poems", force=False, folder=tmp_path)
    write_profile(path, profile_text(suggestion, extends="local", corpus="poems", digest="d" * 64))
    with pytest.raises(BadInput, match="this profile exists; choose another name, or overwrite it with --force"):
        profile_path("poems", force=False, folder=tmp_path)
    assert profile_path("poems", force=True, folder=tmp_path) == path
    with pytest.raises(BadInput, match="which this command did not write"):
        profile_path("local", force=True)


def test_the_file_is_a_profile_with_a_reason_for_each_value(tmp_path: Path) -> None:
    suggestion = suggest(corpus(0.1, works=30, languages={"es": 1.0}))
    assert suggestion
    text = profile_text(suggestion, extends="local", corpus="poems: new #1", digest="d" * 64)
    path = tmp_path / "poems.yaml"
    write_profile(path, text)
    effective = load_profile(str(path))
    dumped = effective.profile.model_dump()
    for choice in suggestion.choices:
        section, key = choice.key.split(".")
        assert dumped[section][key] == choice.value
        assert choice.why in text
    assert [placed.gate.metric for placed in effective.gates if placed.dropped] == ["toxic_share"]
    assert effective.profile.described.corpus == "poems: new #1"
    assert max(map(len, text.splitlines())) <= 140


def test_values_of_sections_and_of_the_profile_itself(tmp_path: Path) -> None:
    choices = (Choice("seed", 7, "given"), Choice("ingest.columns", {"text": "body"}, "given"), Choice("train.epochs", 2, "x" * 120))
    text = profile_text(Suggestion("", choices, ()), extends="local", corpus="c", digest="")
    values = yaml.safe_load(text)
    assert values["seed"] == 7 and values["ingest"] == {"columns": {"text": "body"}} and values["train"] == {"epochs": 2}
    assert "described" not in values and f"  # {'x' * 120}\n  epochs: 2" in text
