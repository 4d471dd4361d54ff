"""A version of the registry, checked and ready to write."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.model.generate import generate
from robo_poet.model.load import LoadedModel, load_model
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import START
from robo_poet.registry.registry import Registry
from robo_poet.registry.version import Version
from robo_poet.report.names import metric_name, metric_text


@dataclass(frozen=True)
class Opened:
    """A version and its model, in memory."""

    version: Version
    model: LoadedModel


def open_version(registry: Path, number: int) -> Opened:
    """Load a version, 0 for the champion, once each of its files is what was registered.

    Raises:
        BadInput: there is none, or it is damaged.
    """
    store = Registry(registry)
    chosen = store.version(number) if number else store.champion()
    if chosen is None:
        raise BadInput("no champion yet", where=str(registry), remedy="train one with make run-pipeline")
    with _waiting(f"version {chosen.number} loads …"):
        chosen.verify()
        model = load_model(chosen.folder / "model", chosen.folder / "tokenizer")
        # The first call makes TensorFlow plan the graph, which takes a second: it belongs to loading, not to the first text's speed.
        generate(model, [[START]], Sampling(max_new=1, min_new=0), [0])
    return Opened(chosen, model)


def introduction(version: Version) -> str:
    """Which version it is, and how good."""
    known = version.manifest().metrics
    figures = [f"{metric_name(name)} {metric_text(name, known[name])}" for name in ("perplexity", "bits_per_byte") if name in known]
    stage = f"{version.stage}: {version.why}" if version.stage == "rejected" else str(version.stage)
    return " · ".join([f"version {version.number} ({stage})", *figures])


@contextmanager
def _waiting(line: str) -> Iterator[None]:
    """Show `line` meanwhile, to a person. It stands still: while TensorFlow loads, nothing else gets through to standard error."""
    person = sys.stderr.isatty()
    if person:
        sys.stderr.write(line)
        sys.stderr.flush()
    try:
        yield
    finally:
        if person:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
