"""The SavedModel: generation, files, warm-up requests, and use by programs without this project's code. Covers: process."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from components.train_model.architectures import lstm
from components.train_model.export.process import export_in_subprocess
from components.train_model.export.saved_model import WARM_UP_BATCHES
from pipelines.images.programs import ROOT
from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling, StopReason
from robo_poet.model.inputs import encode_prompt
from robo_poet.model.saved_model import LoadedModel, generate, load_model
from robo_poet.model.tokenizer import END, PAD, START
from robo_poet.settings.train import TrainSettings


@pytest.fixture(scope="module")
def model(toy_training: Path, toy_tokenizer: Path) -> LoadedModel:
    return load_model(toy_training / "model", toy_tokenizer)


def test_a_row_gives_the_same_text_in_any_batch(model: LoadedModel) -> None:
    prompts = [encode_prompt(model, text) for text in ("the night burns", "my heart sleeps upon the sea and", "a rose sleeps")]
    together = generate(model, prompts * 4, Sampling(40), range(12))
    alone = [generate(model, [prompts[i % 3]], Sampling(40), [i])[0] for i in range(12)]
    assert [c.tokens for c in together] == [c.tokens for c in alone]
    assert len({tuple(c.tokens) for c in together}) > 6


def test_a_completion_in_chunks_gives_the_same_text(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "the night burns")
    whole = generate(model, [prompt], Sampling(40, min_new=40), [5])[0].tokens
    first = generate(model, [prompt], Sampling(15, min_new=15), [5])[0].tokens
    rest = generate(model, [[*prompt, *first]], Sampling(25, min_new=25), [5])[0].tokens
    assert [*first, *rest] == whole and len(whole) == 40


def test_control_tokens_and_unused_ids_are_never_generated(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "my heart")
    wild = Sampling(100, min_new=0, temperature=2.0, top_k=0, top_p=1.0)
    tokens = {t for c in generate(model, [prompt] * 30, wild, range(30)) for t in c.tokens}
    assert tokens and tokens.isdisjoint({PAD, START, END}) and max(tokens) < model.tokenizer.size <= model.tokenizer.vocabulary


def test_completions_respect_minimum_and_maximum_length(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "my heart")
    for low, high in ((0, 1), (7, 7), (20, 30)):
        done = generate(model, [prompt] * 10, Sampling(high, min_new=low, temperature=2.0, top_k=0, top_p=1.0), range(10))
        assert all(low <= len(c.tokens) <= high for c in done)
        assert all(c.reason is StopReason.END or len(c.tokens) == high for c in done)
    longest = generate(model, [prompt], Sampling(512, min_new=512), [1])[0]
    assert len(longest.tokens) == 512 - len(prompt)


def test_log_probs_of_generate_equal_those_of_score(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "the cold wind")
    written = generate(model, [prompt], Sampling(20, min_new=20), [3])[0]
    scored = model.score(tokens=np.asarray([[*prompt, *written.tokens]], np.int32))["log_prob"].numpy()[0]
    assert np.allclose(written.log_probs, scored[len(prompt) - 1 :], atol=1e-4)


def test_top_k_1_generates_the_most_likely_tokens(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "the cold wind")
    written = generate(model, [prompt], Sampling(20, min_new=0, top_k=1), [3])[0]
    ranks = model.score(tokens=np.asarray([[*prompt, *written.tokens]], np.int32))["rank"].numpy()[0, len(prompt) - 1 :]
    assert (ranks == 0).all()


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from components.train_model.architectures import lstm
from components.train_model.export.saved_model import export
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings

model = lstm.build(TrainSettings(embedding=8, units=8), 300)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    export(model, lstm, 300, Path(sys.argv[1]))
except BadInput as error:
    print(error)
"""


@pytest.mark.soak  # 21 s; other steps test a full disk too
def test_a_full_disk_is_one_line_of_error(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith(f"{tmp_path}: the model cannot be written"), done.stderr
    assert done.stdout.count("\n") == 1


@pytest.mark.soak
def test_a_folder_that_cannot_be_created_is_one_line_of_error(tmp_path: Path) -> None:
    settings = TrainSettings(embedding=8, units=8)
    model = lstm.build(settings, 300)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="the model cannot be written"):
        export_in_subprocess(model, settings, 290, tmp_path / "file", tmp_path)


WRITE = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

folder, prompt, rows = sys.argv[1], json.loads(sys.argv[2]), 3
model = tf.saved_model.load(folder)
kinds = dict(temperature=(0.9, tf.float32), top_k=(20, tf.int32), top_p=(0.95, tf.float32))
given = dict(max_new=(40, tf.int32), min_new=(5, tf.int32), repetition_penalty=(1.1, tf.float32), **kinds)
inputs = {name: tf.fill([rows], tf.constant(value, kind)) for name, (value, kind) in given.items()}
inputs |= dict(prompt=tf.constant([prompt] * rows), prompt_length=tf.fill([rows], len(prompt)), seed=tf.range(rows, dtype=tf.int64))
inputs |= {name: tf.zeros([rows, 1], tf.int32) for name in ("stop_tokens", "banned_tokens")}
for signature in ("generate", "generate_xla"):
    result = model.signatures[signature](**inputs)
    print(json.dumps([t[:n].tolist() for t, n in zip(result["tokens"].numpy(), result["length"].numpy())]))
print(json.dumps(tf.__version__))
"""


@pytest.mark.parametrize("environment", [pytest.param(".venv", marks=pytest.mark.soak), ".venv-validate"])
def test_a_program_without_this_projects_code_generates_the_same_text(
    environment: str, toy_training: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    python = Path(sys.executable) if environment == ".venv" else ROOT / environment / "bin" / "python"
    model = load_model(toy_training / "model", toy_tokenizer)
    prompt = encode_prompt(model, "the night burns")
    ours = generate(model, [prompt] * 3, Sampling(40, 5, 0.9, 20, 0.95, repetition_penalty=1.1), range(3))
    command = [str(python), "-I", "-c", WRITE, str(toy_training / "model" / "saved_model"), json.dumps(prompt)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *texts, version = [json.loads(line) for line in done.stdout.splitlines()]
    assert texts == [[completion.tokens for completion in ours]] * 2
    assert version.startswith("2.21." if environment == ".venv" else "2.16.")


@pytest.mark.parametrize(("file", "signature"), [("", "generate"), ("_xla", "generate_xla")])
def test_the_warm_up_requests_cover_every_batch_size_and_run(file: str, signature: str, toy_training: Path, toy_tokenizer: Path) -> None:
    folder = toy_training / "model" / "saved_model"
    model = load_model(toy_training / "model", toy_tokenizer)
    sizes = []
    for record in tf.data.TFRecordDataset(str(folder / "assets.extra" / f"tf_serving_warmup_requests{file}")):
        request = PredictionLog.FromString(record.numpy()).predict_log.request
        call = model.module.signatures[request.model_spec.signature_name]
        result = call(**{name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()})
        if request.model_spec.signature_name == signature:
            sizes.append(len(result["tokens"]))
            assert np.all(result["length"].numpy() == 2)
    assert tuple(sizes) == WARM_UP_BATCHES
