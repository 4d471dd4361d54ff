import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.export.process import export_in_subprocess
from robo_poet.digest import digest_path
from robo_poet.model.tokenizer import Tokenizer
from tests.components.train_model.exports import small, untrained, untrained_version


@pytest.fixture(scope="module", params=[pytest.param("lstm", marks=pytest.mark.soak), *(name for name in ARCHITECTURES if name != "lstm")])
def exported(request: pytest.FixtureRequest, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Name of the architecture, and two exports of the same weights; between them this process does other things."""
    words = Tokenizer.load(toy_tokenizer)
    first = untrained_version(request.param, toy_tokenizer, tmp_path_factory) / "model"
    tf.function(lambda x: x + 1)(tf.constant(1))  # what is traced meanwhile must not matter
    second = tmp_path_factory.mktemp("export")
    export_in_subprocess(untrained(request.param, words.vocabulary), small(request.param), words.size, second, second)
    return request.param, first, second


def test_the_same_weights_give_the_same_bytes(exported: tuple[str, Path, Path]) -> None:
    _, first, second = exported
    for name in ("keras", "edge", "saved_model"):
        assert digest_path(first / name) == digest_path(second / name), name


# What a reader of the files does, with none of our code about.
PLAIN = """
import sys
sys.modules.update(components=None, robo_poet=None, serving=None)
from pathlib import Path
import keras, numpy as np, tensorflow as tf

folder = Path(sys.argv[1])
tokens = np.random.default_rng(1).integers(1, int(sys.argv[2]), (2, 30)).astype(np.int32)
expected = tf.saved_model.load(str(folder / "saved_model")).signatures["score"](tokens=tokens)["log_prob"].numpy()

def check(model):
    logits = tf.nn.log_softmax(model(tokens[:, :-1], training=False))
    found = tf.gather(logits, tokens[:, 1:], batch_dims=2).numpy()
    print(np.abs(found - expected).max() < 1e-4)

model = keras.models.load_model(folder / "keras" / "model.keras")
check(model)
if (folder / "keras" / "model.h5").exists():
    check(keras.models.load_model(folder / "keras" / "model.h5", compile=False))
else:
    for variable in model.weights:
        variable.assign(variable * 0)
    model.load_weights(folder / "keras" / "model.weights.h5")
    check(model)
"""


def test_plain_keras_loads_both_files_and_gives_the_logits_of_score(
    exported: tuple[str, Path, Path], toy_tokenizer: Path, tmp_path: Path
) -> None:
    name, folder, _ = exported
    arguments = [str(folder), str(Tokenizer.load(toy_tokenizer).size)]
    done = subprocess.run([sys.executable, "-c", PLAIN, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.split() == ["True", "True"], done.stdout + done.stderr
    files = {path.name for path in (folder / "keras").iterdir()}
    assert files == {"model.keras", {"lstm": "model.h5", "transformer": "model.weights.h5"}[name]}
