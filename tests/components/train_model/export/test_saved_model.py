import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.train_model.architectures import lstm
from components.train_model.export.process import export_apart
from pipelines.images.programs import ROOT
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling, StopReason
from robo_poet.model.inputs import encode_prompt
from robo_poet.model.saved_model import LoadedModel, generate, load_model
from robo_poet.model.tokenizer import END, PAD, START
from robo_poet.settings.train import TrainSettings


@pytest.fixture(scope="module")
def model(toy_training: Path, toy_tokenizer: Path) -> LoadedModel:
    return load_model(toy_training / "model", toy_tokenizer)


def test_a_row_writes_the_same_whatever_its_batch(model: LoadedModel) -> None:
    prompts = [encode_prompt(model, text) for text in ("the night burns", "my heart sleeps upon the sea and", "a rose sleeps")]
    together = generate(model, prompts * 4, Sampling(40), range(12))
    alone = [generate(model, [prompts[i % 3]], Sampling(40), [i])[0] for i in range(12)]
    assert [c.tokens for c in together] == [c.tokens for c in alone]
    assert len({tuple(c.tokens) for c in together}) > 6


def test_asked_in_chunks_it_is_the_same_text(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "the night burns")
    whole = generate(model, [prompt], Sampling(40, min_new=40), [5])[0].tokens
    first = generate(model, [prompt], Sampling(15, min_new=15), [5])[0].tokens
    rest = generate(model, [[*prompt, *first]], Sampling(25, min_new=25), [5])[0].tokens
    assert [*first, *rest] == whole and len(whole) == 40


def test_it_writes_no_control_token_and_none_that_has_no_text(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "my heart")
    wild = Sampling(100, min_new=0, temperature=2.0, top_k=0, top_p=1.0)
    tokens = {t for c in generate(model, [prompt] * 30, wild, range(30)) for t in c.tokens}
    assert tokens and tokens.isdisjoint({PAD, START, END}) and max(tokens) < model.tokenizer.size <= model.tokenizer.vocabulary


def test_min_and_max_length_hold(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "my heart")
    for low, high in ((0, 1), (7, 7), (20, 30)):
        done = generate(model, [prompt] * 10, Sampling(high, min_new=low, temperature=2.0, top_k=0, top_p=1.0), range(10))
        assert all(low <= len(c.tokens) <= high for c in done)
        assert all(c.reason is StopReason.END or len(c.tokens) == high for c in done)
    longest = generate(model, [prompt], Sampling(512, min_new=512), [1])[0]
    assert len(longest.tokens) == 512 - len(prompt)


def test_the_likelihood_it_states_is_the_one_that_score_gives(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "the cold wind")
    written = generate(model, [prompt], Sampling(20, min_new=20), [3])[0]
    scored = model.score(tokens=np.asarray([[*prompt, *written.tokens]], np.int32))["log_prob"].numpy()[0]
    assert np.allclose(written.log_probs, scored[len(prompt) - 1 :], atol=1e-4)


def test_top_k_1_takes_the_likeliest(model: LoadedModel) -> None:
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


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith(f"{tmp_path}: the model cannot be written"), done.stderr
    assert done.stdout.count("\n") == 1


def test_the_outputs_say_what_they_are(toy_training: Path) -> None:
    output = json.loads((toy_training / "output.json").read_text())
    values = output["parameterValues"]
    assert values == {name + "_digest": digest_path(toy_training / name) for name in ("model", "history")}
    metrics = output["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    manifest = json.loads((toy_training / "model" / "manifest.json").read_text())
    assert metrics["parameters"] == manifest["parameters"] > 0
    assert metrics["tokens_per_second"] > 0 and "tokens_per_second" not in json.loads((toy_training / "metrics").read_text())
    assert "<svg" in (toy_training / "curves").read_text()
    assert not list((toy_training / "model").rglob("fingerprint.pb"))


def test_where_no_folder_can_be_is_one_line(tmp_path: Path) -> None:
    settings = TrainSettings(embedding=8, units=8)
    model = lstm.build(settings, 300)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="the model cannot be written"):
        export_apart(model, settings, 290, tmp_path / "file", tmp_path)
