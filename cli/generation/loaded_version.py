"""Load and verify a version of the registry for text generation."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from robo_poet.errors import BadInput
from robo_poet.judges.metrics import metric_name, metric_text
from robo_poet.model.completion import Sampling
from robo_poet.model.saved_model import LoadedModel, generate, load_model
from robo_poet.model.tokenizer import START
from robo_poet.registry.names import only_model
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version


@dataclass(frozen=True)
class LoadedVersion:
    """A version and its loaded model."""

    version: Version
    model: LoadedModel


def load_version(registry: str, model: str, number: int) -> LoadedVersion:
    """Verify the digests of a version's files and load the version. Number 0 is the champion.

    Args:
        model: name of the model, or NAME/N for a version; empty for the only model of the registry.

    Raises:
        BadInput: there is no such version, or its files differ from what was registered.
    """
    name, _, in_name = model.partition("/")
    if in_name:
        if not (in_name.isascii() and in_name.isdigit()) or number not in (0, int(in_name)):
            raise BadInput(f"{model[:80]!r} names no version", where="--model", remedy="use NAME, or NAME/N without --version")
        number = int(in_name)
    store = Registry(registry, only_model(registry, name))
    version = store.version(number) if number else store.released()
    with _temporary_line(f"loading {version.name} …"):
        version.verify()
        loaded = load_model(version.folder / "model", version.folder / "tokenizer")
        # TensorFlow plans the graph in the first call, which takes a second. Do it here, so that it does not count as generation time.
        generate(loaded, [[START]], Sampling(max_new=1, min_new=0), [0])
    return LoadedVersion(version, loaded)


def introduction(version: Version) -> str:
    """Return one line with number, stage, perplexity and bits per byte of a version."""
    metrics = version.manifest().metrics
    figures = [f"{metric_name(name)} {metric_text(name, metrics[name])}" for name in ("perplexity", "bits_per_byte") if name in metrics]
    stage = f"{version.stage}: {version.why}" if version.stage == "rejected" else str(version.stage)
    return " · ".join([f"{version.name} ({stage})", *figures])


@contextmanager
def _temporary_line(line: str) -> Iterator[None]:
    """Show `line` on a terminal while the block runs. The line is static, because no other output appears while TensorFlow loads."""
    interactive = sys.stderr.isatty()
    if interactive:
        sys.stderr.write(line)
        sys.stderr.flush()
    try:
        yield
    finally:
        if interactive:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
