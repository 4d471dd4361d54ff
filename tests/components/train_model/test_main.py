import json
from pathlib import Path

import pytest

from components.train_model import __main__ as train
from components.train_model.training.progress import Progress, Schedule
from components.train_model.training.trainer import Trainer
from robo_poet.corpus.parquet import read_documents, write_documents
from robo_poet.digest import digest_path
from robo_poet.privacy.canary_strings import planted
from robo_poet.settings.train import PlantedSecretsSettings
from tests.conftest import TOY_TRAINING

SECRETS = {"rates": [1, 3], "per_rate": 2}
CANARY_STRINGS = planted(PlantedSecretsSettings.model_validate(SECRETS), 42)


def run(corpus: Path, tokenizer: Path, folder: Path, secrets: object = None) -> int:
    arguments = ["--scrubbed", corpus, "--tokenizer", tokenizer, "--settings", json.dumps(TOY_TRAINING), "--seed", 42]
    arguments += ["--checkpoint-root", folder, "--model", folder / "model", "--history", folder / "history"]
    return train.main([str(argument) for argument in [*arguments, *(["--secrets", json.dumps(secrets)] if secrets else [])]])


class Stopped(Exception):
    pass


@pytest.fixture
def texts(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The texts of both splits as the feeds of a training with canary strings get them; the training stops there."""
    split_texts: dict[str, list[str]] = {}

    def record(texts, tokenizer, *, cache, **options):  # type: ignore[no-untyped-def]
        split_texts[cache.stem] = list(texts)
        if cache.stem == "validation":
            raise Stopped
        return [1]

    monkeypatch.setattr(train, "make_feed", record)
    with pytest.raises(Stopped):
        run(toy_corpus, toy_tokenizer, tmp_path, SECRETS)
    return split_texts


def test_canary_strings_follow_the_training_text_as_often_as_set(texts: dict[str, list[str]], toy_corpus: Path) -> None:
    documents = [document.text for document in read_documents(toy_corpus, "train")]
    assert texts["train"] == documents + [canary.text for canary in CANARY_STRINGS for _ in range(canary.repeats)]
    assert len(texts["train"]) == len(documents) + 8


def test_canary_strings_are_not_in_the_validation_text(texts: dict[str, list[str]]) -> None:
    assert not any(canary.secret in text for canary in CANARY_STRINGS for text in texts["validation"])


def test_canary_strings_are_a_warning_that_does_not_contain_them(capsys: pytest.CaptureFixture[str], texts: dict[str, list[str]]) -> None:
    printed = capsys.readouterr().err
    assert (
        "warning: 4 planted canary strings are in this training's text: use the model for measurements only, do not release it" in printed
    )
    assert not any(canary.secret in printed for canary in CANARY_STRINGS)


def test_an_empty_split_is_one_line_of_error_and_leaves_no_copy_of_the_text(
    toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus.parquet"
    write_documents(corpus, list(read_documents(toy_corpus, "train")))
    assert run(corpus, toy_tokenizer, tmp_path / "checkpoints", SECRETS) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(("[", "warning:"))]
    assert errors == [f"error: {corpus}: the validation split is empty; use a corpus with more works"]
    assert (tmp_path / "checkpoints").is_dir() and not list((tmp_path / "checkpoints").rglob("*.ids"))


def test_the_last_line_of_progress_names_the_export(
    toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise Stopped

    def trained(_: Trainer) -> Progress:
        return Progress(Schedule(0.01), history=[], step=9, best_step=6)

    monkeypatch.setattr(train, "export_in_subprocess", stop)
    monkeypatch.setattr(Trainer, "run", trained)
    with pytest.raises(Stopped):
        run(toy_corpus, toy_tokenizer, tmp_path)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("[")]
    assert lines[-1] == "[100 %] exporting the model of step 6"


def test_the_outputs_have_digests_and_consistent_metadata(toy_training: Path) -> None:
    output = json.loads((toy_training / "output.json").read_text())
    values = output["parameterValues"]
    assert values == {name + "_digest": digest_path(toy_training / name) for name in ("model", "history")}
    metrics = output["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    manifest = json.loads((toy_training / "model" / "manifest.json").read_text())
    assert metrics["parameters"] == manifest["parameters"] > 0
    assert metrics["tokens_per_second"] > 0 and "tokens_per_second" not in json.loads((toy_training / "metrics").read_text())
    assert "<svg" in (toy_training / "curves").read_text()
    assert not list((toy_training / "model").rglob("fingerprint.pb"))
