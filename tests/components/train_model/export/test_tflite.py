import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.export.tflite import export_edge
from pipelines.images.programs import ROOT
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.model.edge import EdgeModel, load_edge
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings
from tests.components.train_model.exports import small


def read(edge: EdgeModel, tokens: list[int]) -> np.ndarray:
    """Logits `[time, vocabulary]` behind each token."""
    edge.reset()
    return np.stack([edge.read(token) for token in tokens])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_edge_steps_give_the_logits_of_the_model_and_int8_nearly(architecture: str, toy_tokenizer: Path, tmp_path: Path) -> None:
    words = Tokenizer.load(toy_tokenizer)
    keras.utils.set_random_seed(3)
    model = ARCHITECTURES[architecture].build(small(architecture), words.vocabulary)
    for variable in model.trainable_variables:
        variable.assign(variable.value * 2.0)
    tokens = np.random.default_rng(1).integers(4, words.size, 40).tolist()  # more than three windows: the ring goes round
    expected = model(np.asarray([tokens], np.int32), training=False).numpy()[0]
    for name, quantise in (("exact", False), ("int8", True)):
        export_edge(model, ARCHITECTURES[architecture], words.size, tmp_path / name, quantise=quantise)
    exact = read(load_edge(tmp_path / "exact" / "edge", toy_tokenizer), tokens)
    assert np.allclose(exact, expected, atol=1e-4 * np.abs(expected).max())
    nearly = read(load_edge(tmp_path / "int8" / "edge", toy_tokenizer), tokens)
    assert 0 < np.abs(nearly - expected).mean() < 0.1 * expected.std()


def test_a_new_text_starts_with_an_empty_state(toy_training: Path, toy_tokenizer: Path) -> None:
    edge = load_edge(toy_training / "model" / "edge", toy_tokenizer)
    first = read(edge, [2, 40, 41, 42])
    assert (read(edge, [2, 40, 41, 42]) == first).all() and edge.position == 4


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_file_holds_builtin_operations_alone_a_byte_a_weight_and_what_the_manifest_names(architecture: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = ARCHITECTURES[architecture].build(TrainSettings.model_validate({"architecture": architecture}), 10_000)
    export_edge(model, ARCHITECTURES[architecture], 9_000, tmp_path)
    content = (tmp_path / "edge" / "model.tflite").read_bytes()
    parsed = schema.Model.GetRootAs(content)
    codes = [parsed.OperatorCodes(i) for i in range(parsed.OperatorCodesLength())]
    assert codes and all(code.CustomCode() is None for code in codes)
    # The tied embedding of a transformer is in the file twice: as a table to look up, and turned round as a matrix.
    weights = model.count_params() + (1_280_000 if architecture == "transformer" else 0)
    assert weights < len(content) < 1.08 * weights < 8_000_000

    manifest = json.loads((tmp_path / "edge" / "manifest.json").read_text())
    stated = {name: manifest[name] for name in ("architecture", "size", "vocabulary", "max_length", "weights")}
    assert stated == {"architecture": architecture, "size": 9_000, "vocabulary": 10_000, "max_length": 512, "weights": "int8"}
    signature = parsed.SignatureDefs(0)
    inputs = {signature.Inputs(i).Name().decode() for i in range(signature.InputsLength())}
    outputs = {signature.Outputs(i).Name().decode() for i in range(signature.OutputsLength())}
    states = manifest["states"]
    assert inputs == {manifest["token"], manifest["position"], *(state["input"] for state in states)}
    assert outputs == {manifest["logits"], *(state["output"] for state in states)}
    assert len(states) == {"lstm": 4, "transformer": 12}[architecture]
    assert {tuple(state["shape"]) for state in states} == {{"lstm": (1, 256), "transformer": (100, 1, 4, 32)}[architecture]}


def test_a_tokenizer_of_another_size_and_a_damaged_file_are_refused(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    other = tmp_path / "tokenizer"
    other.mkdir()
    (other / "tokenizer.json").write_bytes((toy_tokenizer / "tokenizer.json").read_bytes())
    write_text(other / "manifest.json", '{"vocabulary": 1000}')
    edge = toy_training / "model" / "edge"
    with pytest.raises(BadInput, match="this tokenizer has .* of 1000; give the tokenizer of the same version"):
        load_edge(edge, other)
    damaged = tmp_path / "edge"
    damaged.mkdir()
    write_text(damaged / "manifest.json", (edge / "manifest.json").read_text())
    for content in (b"", b"junk", (edge / "model.tflite").read_bytes()[:5000]):
        (damaged / "model.tflite").write_bytes(content)
        with pytest.raises(BadInput, match="the edge model is damaged"):
            load_edge(damaged, toy_tokenizer)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from components.train_model.architectures import lstm
from components.train_model.export.keras_files import export_keras
from components.train_model.export.tflite import export_edge
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings

model = lstm.build(TrainSettings(embedding=8, units=8), 3000)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for write in (lambda folder: export_keras(model, folder), lambda folder: export_edge(model, lstm, 3000, folder)):
    try:
        write(Path(sys.argv[1]))
    except BadInput as error:
        print(error)
"""


@pytest.mark.soak
def test_a_full_disk_is_one_line_of_error(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stdout + done.stderr
    assert all(line.endswith("free space and run again") and "the model cannot be written" in line for line in lines)
