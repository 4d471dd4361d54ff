"""What was exported, in the hands of programs that have none of our code."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from components.train_model.export.saved_model import WARM_UP_BATCHES
from pipelines.images.programs import ROOT
from robo_poet.model.completion import Sampling
from robo_poet.model.inputs import encode_prompt
from robo_poet.model.saved_model import generate, load_model

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


@pytest.mark.parametrize("environment", [".venv", ".venv-validate"])
def test_a_program_with_none_of_our_code_writes_the_same_text(
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
def test_the_warm_up_plays_every_batch_size_and_each_request_runs(
    file: str, signature: str, toy_training: Path, toy_tokenizer: Path
) -> None:
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
