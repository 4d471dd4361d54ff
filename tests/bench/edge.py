"""Writing with MODEL-1 on a small device: the LiteRT runner beside TensorFlow with the SavedModel, each in a process of its own."""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.frame import Row, apart, peak_memory

VOCABULARY, PROMPT, NEW, ROUNDS = 10_000, 8, 100, 5


def make(folder: Path) -> None:
    """An untrained version of full size, which costs what a trained one costs: `edge/`, `saved_model/`, `tokenizer/`."""
    import keras

    from components.train_model.architectures.architecture import ARCHITECTURES
    from components.train_model.export.saved_model import export
    from components.train_model.export.tflite import export_edge
    from robo_poet.model.bpe import train_bpe
    from robo_poet.settings.train import TrainSettings

    (folder / "tokenizer").mkdir()
    core = train_bpe((f"{a}{b} " for a in range(500) for b in ("rose", "night", "sun")), VOCABULARY)
    core.save(str(folder / "tokenizer" / "tokenizer.json"))
    (folder / "tokenizer" / "manifest.json").write_text(json.dumps({"vocabulary": VOCABULARY}))
    keras.utils.set_random_seed(1)
    model = ARCHITECTURES["lstm"].build(TrainSettings(), VOCABULARY)
    export(model, ARCHITECTURES["lstm"], core.get_vocab_size(), folder)
    export_edge(model, ARCHITECTURES["lstm"], core.get_vocab_size(), folder)


def on_the_edge(folder: Path) -> dict[str, float]:
    """Ready, milliseconds a token and peak megabytes of the runner."""
    begun = time.perf_counter()
    from robo_poet.model.completion import Sampling
    from robo_poet.model.edge import load_edge
    from serving.edge.generation import generate_tokens

    model = load_edge(folder / "edge", folder / "tokenizer")
    ready = time.perf_counter() - begun
    sampling = Sampling(NEW, NEW)

    def once() -> float:
        begun = time.perf_counter()
        assert len(list(generate_tokens(model, range(10, 10 + PROMPT), sampling, 1))) == NEW
        return (time.perf_counter() - begun) / NEW

    return {"ready": ready, "token": statistics.median([once() for _ in range(ROUNDS)])}


def in_tensorflow(folder: Path) -> dict[str, float]:
    """The same of TensorFlow and `generate`, without XLA; the first call makes it ready."""
    begun = time.perf_counter()
    import tensorflow as tf

    from tests.bench.completion import asked

    model = tf.saved_model.load(str(folder / "saved_model"))
    inputs = asked(1, NEW)

    def once() -> float:
        begun = time.perf_counter()
        model.signatures["generate"](**inputs)["tokens"].numpy()
        return (time.perf_counter() - begun) / NEW

    once()
    ready = time.perf_counter() - begun
    return {"ready": ready, "token": statistics.median([once() for _ in range(ROUNDS)])}


def run() -> list[Row]:
    """Size, memory, start and speed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        ours, peer = ({**apart("tests.bench.edge", way, name)} for way in ("edge", "tensorflow"))
        size = (folder / "edge" / "model.tflite").stat().st_size / 1e6
        whole = sum(path.stat().st_size for path in (folder / "saved_model").rglob("*") if path.is_file()) / 1e6
    other = "tensorflow, SavedModel"
    return [
        Row("MODEL-1 on disk", "MB", size, other, whole),
        Row("MODEL-1 peak memory", "MB", ours["memory"], other, peer["memory"]),
        Row("MODEL-1 ready after", "s", ours["ready"], other, peer["ready"]),
        Row("MODEL-1 a token, batch 1", "ms", 1000 * ours["token"], other, 1000 * peer["token"]),
    ]


if __name__ == "__main__":
    way, place = sys.argv[1:]
    figures = (on_the_edge if way == "edge" else in_tensorflow)(Path(place))
    print(json.dumps({**figures, "memory": peak_memory()}))
