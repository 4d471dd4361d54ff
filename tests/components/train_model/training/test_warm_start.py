import json
from pathlib import Path

import keras
import numpy as np
import pytest

from components.train_model.architectures import lstm
from components.train_model.training.warm_start import initialise_from_version
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras' own, on writing and reading a model
SMALL = TrainSettings(embedding=8, units=8)


@pytest.fixture
def version(tmp_path: Path) -> tuple[Path, keras.Model]:
    """A model folder as the export writes it, as far as it is read here."""
    keras.utils.set_random_seed(7)
    model = lstm.build(SMALL, 320)
    (tmp_path / "model" / "keras").mkdir(parents=True)
    model.save(tmp_path / "model" / "keras" / "model.keras")
    (tmp_path / "model" / "manifest.json").write_text(json.dumps({"architecture": "lstm", "tokenizer": "words"}))
    return tmp_path / "model", model


def begin(model: keras.Model, folder: Path, **changes: str) -> None:
    initialise_from_version(
        model, folder, **{"digest": digest_path(folder) if folder.exists() else "", "architecture": "lstm", "tokenizer": "words", **changes}
    )


def test_the_model_gets_the_weights_of_the_version(version: tuple[Path, keras.Model]) -> None:
    keras.utils.set_random_seed(8)
    model = lstm.build(SMALL, 320)
    begin(model, version[0])
    for ours, theirs in zip(model.trainable_variables, version[1].trainable_variables, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    "changes, what",
    [({"digest": "0" * 64}, "the model for the warm start changed after the run was submitted; verify the registry"),
     ({"architecture": "transformer"}, "has the architecture lstm, this training has transformer; choose a version that fits"),
     ({"tokenizer": "other"}, "another tokenizer, in which the same token ids mean other tokens; choose a version that fits, or train.warm_start=0")],
)  # fmt: skip
def test_a_version_that_does_not_fit_is_one_line_of_error(changes: dict[str, str], what: str, version: tuple[Path, keras.Model]) -> None:
    with pytest.raises(BadInput, match=what):
        begin(lstm.build(SMALL, 320), version[0], **changes)


@pytest.mark.parametrize("change", [{"units": 16}, {"layers": 3}, {"layers": 1}, {"embedding": 16}])
def test_a_model_of_another_shape_is_refused_and_the_weights_stay_unchanged(
    change: dict[str, int], version: tuple[Path, keras.Model]
) -> None:
    model = lstm.build(SMALL.model_copy(update=change), 320)
    before = [v.numpy() for v in model.trainable_variables]
    with pytest.raises(BadInput, match=r"has another shape: \S+ is (\(.*\)|missing), this training needs (\(.*\)|missing);"):
        begin(model, version[0])
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, model.trainable_variables, strict=True))


def test_a_missing_folder_is_one_line_of_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the model folder for the warm start does not exist"):
        begin(lstm.build(SMALL, 320), tmp_path / "nothing")


@pytest.mark.parametrize("file", ["keras/model.keras", "manifest.json"])
def test_a_missing_file_is_one_line_of_error(file: str, version: tuple[Path, keras.Model]) -> None:
    (version[0] / file).unlink()
    with pytest.raises(BadInput, match="the Keras model for the warm start cannot be read"):
        begin(lstm.build(SMALL, 320), version[0])


@pytest.mark.parametrize(
    ("manifest", "what"),
    [({"tokenizer": "words"}, "manifest.json has no key 'architecture'; choose a version that fits"),
     ({"architecture": "lstm"}, "manifest.json has no key 'tokenizer'; choose a version that fits"),
     ({"architecture": "lstm", "tokenizer": "words", "secrets": None}, "the Keras model for the warm start cannot be read"),
     (["lstm"], "the Keras model for the warm start cannot be read"), ("lstm", "the Keras model for the warm start cannot be read")],
)  # fmt: skip
def test_an_incomplete_manifest_is_one_line_of_error(manifest: object, what: str, version: tuple[Path, keras.Model]) -> None:
    (version[0] / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInput, match=what) as refused:
        begin(lstm.build(SMALL, 320), version[0])
    assert "\n" not in str(refused.value)


def test_a_damaged_keras_file_is_one_line_of_error(version: tuple[Path, keras.Model]) -> None:
    (version[0] / "keras" / "model.keras").write_bytes(b"PK damaged")
    with pytest.raises(BadInput, match="the Keras model for the warm start cannot be read"):
        begin(lstm.build(SMALL, 320), version[0])
