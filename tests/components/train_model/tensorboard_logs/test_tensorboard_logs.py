"""The TensorBoard logs of a toy training. Covers: callbacks, event_file, generation_samples."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.util.tensor_util import make_ndarray

from components.train_model.tensorboard_logs.callbacks import GpuMemory, tensorboard_callbacks, token_names
from components.train_model.tensorboard_logs.event_file import FILE_NAME, EventFile
from components.train_model.training.callbacks import Callback
from components.train_model.training.trainer import Trainer
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings
from tests.components.train_model.toy import Killed, outcome, trainer

OFTEN = {"log_steps": 3, "sample_steps": 11, "label_smoothing": 0.1}


def watch(folder: Path) -> Callable[[TrainSettings, Tokenizer], Sequence[Callback]]:
    return lambda settings, words: tensorboard_callbacks(folder, settings, words)


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), {"scalars": 0, "tensors": 0}).Reload()


def written(folder: Path) -> list[tuple[str, int, Any]]:
    """Every value of the event file in its order; of the speed only that it is there."""
    found = []
    for event in EventFileLoader(str(folder / FILE_NAME)).Load():
        for value in event.summary.value:
            content = make_ndarray(value.tensor).tolist()
            found.append((value.tag, event.step, "speed" if value.tag == "tokens_per_second" else content))
    return found


@pytest.fixture(scope="module")
def watched(toy_corpus: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trainer, Path]:
    folder = tmp_path_factory.mktemp("watched")
    trained = trainer(toy_corpus, toy_tokenizer, folder, callbacks=watch(folder / "logs"), **OFTEN)
    trained.run()
    return trained, folder / "logs"


def test_scalars_are_logged_at_their_steps(watched: tuple[Trainer, Path]) -> None:
    trained, folder = watched
    events, steps = read(folder), trained.progress.step
    assert [e.step for e in events.Scalars("batch/loss")] == list(range(1, steps + 1))
    for tag in ("loss", "perplexity/train", "accuracy/train", "top5_accuracy/train", "learning_rate", "gradient_norm", "tokens_per_second"):
        assert [e.step for e in events.Scalars(tag)] == list(range(3, steps + 1, 3)), tag
    validated = [p for p in trained.progress.history if "validation_perplexity" in p]
    shown = [(e.step, pytest.approx(e.value)) for e in events.Scalars("perplexity/validation")]
    assert [(p["step"], p["validation_perplexity"]) for p in validated] == shown
    for name in ("accuracy", "top5_accuracy"):
        shown = [(e.step, pytest.approx(e.value, abs=1e-6)) for e in events.Scalars(f"{name}/validation")]
        assert [(p["step"], p[f"validation_{name}"]) for p in validated] == shown
        assert all(0 <= e.value <= 1 for e in events.Scalars(f"{name}/train"))
    # Labels are smoothed: the loss is above what the perplexity is made of, once the model knows something.
    assert events.Scalars("perplexity/train")[-1].value < 2.718281828 ** events.Scalars("loss")[-1].value
    assert events.Scalars("perplexity/train")[-1].value < events.Scalars("perplexity/train")[0].value


def test_each_epoch_has_histograms_of_every_weight_and_gradient(watched: tuple[Trainer, Path]) -> None:
    trained, folder = watched
    events = read(folder)
    for variable in trained.model.trainable_variables:
        for kind in ("weights", "gradients"):
            histograms = events.Tensors(f"{kind}/{variable.path}")
            assert [e.step for e in histograms] == [trained.per_epoch, 2 * trained.per_epoch, 3 * trained.per_epoch]
            assert make_ndarray(histograms[0].tensor_proto)[:, 2].sum() == variable.numpy().size


def test_samples_start_with_their_prompt(watched: tuple[Trainer, Path], toy_tokenizer: Path) -> None:
    trained, folder = watched
    samples = read(folder).Tensors("samples/with held-out prompt")
    assert [e.step for e in samples] == list(range(11, trained.progress.step + 1, 11))
    prompt = Tokenizer.load(toy_tokenizer).decode(trained.validation.tokens[:12])
    for sample in samples:
        text = make_ndarray(sample.tensor_proto).item().decode()
        assert text.startswith(f"    {prompt}".split("\n")[0])


def test_the_projector_has_the_embedding_of_every_token_with_its_name(watched: tuple[Trainer, Path], toy_tokenizer: Path) -> None:
    trained, folder = watched
    config = text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig()).embeddings[0]
    rows = [[float(x) for x in line.split("\t")] for line in (folder / config.tensor_path).read_text().splitlines()]
    named = (folder / config.metadata_path).read_text().splitlines()
    tokenizer = Tokenizer.load(toy_tokenizer)
    assert len(rows) == len(named) - 1 == tokenizer.size
    assert named[0] == "token\tid" and [line.split("\t")[1] for line in named[1:]] == [str(i) for i in range(tokenizer.size)]
    best = trained.model.get_layer("embedding").embeddings.numpy()
    assert rows[40] == pytest.approx(best[40].tolist(), rel=1e-4)


def test_token_names_are_one_line_each(toy_tokenizer: Path) -> None:
    called = token_names(Tokenizer.load(toy_tokenizer))
    assert called[:4] == ["<PAD>", "<UNK>", "<START>", "<END>"]
    assert all(name and "\t" not in name and name.splitlines() == [name] for name in called)


def test_logging_does_not_change_the_result(watched: tuple[Trainer, Path], toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    blind = trainer(toy_corpus, toy_tokenizer, tmp_path, **OFTEN)
    assert outcome(blind, blind.run()) == outcome(watched[0], watched[0].progress)


@pytest.mark.parametrize("killed_after", [8, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, 66, 4))])
def test_the_log_of_a_resumed_training_equals_an_uninterrupted_one(
    killed_after: int, watched: tuple[Trainer, Path], toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    with pytest.raises(Killed):
        trainer(toy_corpus, toy_tokenizer, tmp_path, killed_after, watch(logs), **OFTEN).run()
    again = trainer(toy_corpus, toy_tokenizer, tmp_path, 0, watch(logs), **OFTEN)
    assert outcome(again, again.run()) == outcome(watched[0], watched[0].progress)
    assert written(logs) == written(watched[1])


@pytest.mark.soak
def test_a_log_shorter_than_the_checkpoint_states_is_replaced(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with pytest.raises(Killed):
        trainer(toy_corpus, toy_tokenizer, tmp_path, 20, watch(logs), **OFTEN).run()
    os.truncate(logs / FILE_NAME, 50)
    trainer(toy_corpus, toy_tokenizer, tmp_path, 0, watch(logs), **OFTEN).run()
    assert next(e.step for e in read(logs).Scalars("batch/loss")) > 1


@given(st.lists(st.tuples(st.floats(width=32), st.booleans()), max_size=30))
def test_finite_scalars_are_read_back_in_order(values: list[tuple[float, bool]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        events = EventFile(Path(folder), 10)
        for step, (value, flushed) in enumerate(values):
            events.scalar("x", value, step)
            if flushed:
                assert events.flush() == (Path(folder) / FILE_NAME).stat().st_size
        events.flush()
        finite = [(step, value) for step, (value, _) in enumerate(values) if value - value == 0]
        assert [(step, value) for _, step, value in written(Path(folder))] == finite


def test_gpu_memory_is_logged_in_megabytes(tmp_path: Path, watched: tuple[Trainer, Path]) -> None:
    events = EventFile(tmp_path, 3)
    memory = {"GPU:0": {"current": 5_000_000, "peak": 7_200_000_000}}
    GpuMemory(events, 1, lambda: memory).on_batch_end(watched[0], None)  # type: ignore[arg-type]
    events.flush()
    step = watched[0].progress.step
    assert written(tmp_path) == [("gpu_memory_mb/GPU:0/current", step, 5.0), ("gpu_memory_mb/GPU:0/peak", step, 7200.0)]


def test_tensorboard_shows_the_log(watched: tuple[Trainer, Path]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "tensorboard.main",
        "--logdir",
        str(watched[1]),
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--load_fast=false",
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/{path}", timeout=20) as answer:
            return json.loads(answer.read())

    def shows_all() -> bool:
        try:
            plugins = ask("plugins_listing")
        except OSError:  # not up yet
            return False
        return all(plugins[name]["enabled"] for name in ("scalars", "histograms", "text", "projector"))

    try:
        deadline = time.monotonic() + 120
        while not shows_all():
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.5)
        scalars = ask("plugin/scalars/scalars?run=.&tag=batch%2Floss")
        assert [step for _, step, _ in scalars] == list(range(1, watched[0].progress.step + 1))
        assert ask("plugin/projector/info?run=.")["embeddings"][0]["tensorShape"] == [len(names_of(watched[1])), 16]
        assert "samples/without prompt" in ask("plugin/text/tags")["."]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def names_of(folder: Path) -> list[str]:
    return (folder / "tokens.tsv").read_text().splitlines()[1:]
