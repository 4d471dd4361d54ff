import json
from pathlib import Path

import pytest

from components.train_model import __main__ as train
from robo_poet.corpus.parquet import read_documents
from robo_poet.privacy.canary_strings import planted
from robo_poet.settings.train import PlantedSecretsSettings
from tests.conftest import TOY_TRAINING


def test_made_secrets_are_in_the_training_text_alone_as_often_as_is_said(
    toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, list[str]] = {}

    class Enough(Exception):
        pass

    def spy(texts, tokenizer, *, cache, **given):  # type: ignore[no-untyped-def]
        seen[cache.stem] = list(texts)
        if cache.stem == "validation":
            raise Enough
        return [1]

    monkeypatch.setattr(train, "make_feed", spy)
    secrets = {"rates": [1, 3], "per_rate": 2}
    arguments = ["--scrubbed", toy_corpus, "--tokenizer", toy_tokenizer, "--settings", json.dumps(TOY_TRAINING), "--seed", 42]
    arguments += ["--checkpoint-root", tmp_path, "--model", tmp_path / "m", "--history", tmp_path / "h", "--secrets", json.dumps(secrets)]
    with pytest.raises(Enough):
        train.main([str(one) for one in arguments])
    texts = [document.text for document in read_documents(toy_corpus, "train")]
    made = planted(PlantedSecretsSettings.model_validate(secrets), 42)
    assert seen["train"] == texts + [one.text for one in made for _ in range(one.repeats)] and len(seen["train"]) == len(texts) + 8
    assert not any(one.secret in text for one in made for text in seen["validation"])
    said = capsys.readouterr().err
    assert "warning: 4 planted canary strings are in this training's text: use the model for measurements only, do not release it" in said
    assert not any(one.secret in said for one in made)
