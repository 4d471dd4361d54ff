"""The five data steps at 1, 10 and 100 MB of verse: speed, peak memory, and how the cost grows with the size.

`python -m tests.bench.scale 1 10` measures other sizes.
"""

import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from robo_poet.errors import BadInput
from tests.bench.frame import Row, tell
from tests.bench.verse import verse_documents, verse_lines, write_table

SIZES = (1.0, 10.0, 100.0)  # megabytes
TICK = 0.05  # seconds between two measurements of memory
ROOT = Path(__file__).resolve().parents[2]
VALIDATE = ROOT / ".venv-validate" / "bin" / "python"
WINDOW, STRIDE = 100, 50  # tokens, of the windows over the token file
Command = Callable[[Path], list[str]]


def step(name: str, settings: dict[str, object], *arguments: str) -> list[str]:
    """Return the command line of a step. An argument that starts with `@` is a path in the folder of the run."""
    python = str(VALIDATE) if name == "validate_data" else sys.executable
    return [python, "-m", f"components.{name}", "--settings", json.dumps(settings), *arguments]


STEPS: dict[str, list[str]] = {
    "ingest": step(
        "ingest", {}, "--source", "@verse.jsonl", "--source-digest", "", "--suppression", "", "--suppression-digest", "", "--seed", "42",
        "--corpus", "@corpus", "--dropped", "@dropped", "--metrics", "@ingest.json",
    ),
    "validate": step(
        "validate_data", {}, "--corpus", "@corpus", "--seed", "42", "--statistics", "@statistics", "--drift", "@drift", "--prompt-skew",
        "@prompt_skew", "--page", "@page", "--metrics", "@validate.json",
    ),
    "scrub (patterns)": step(
        "scrub_pii", {"default_policy": "patterns"}, "--corpus", "@corpus", "--seed", "42", "--scrubbed", "@scrubbed", "--audit", "@audit",
        "--recall", "@recall", "--metrics", "@scrub.json",
    ),
    "tokenizer": step("train_tokenizer", {}, "--scrubbed", "@scrubbed", "--validated", "", "--tokenizer", "@tokenizer", "--metrics", "@tokenizer.json"),
    "tokens": [sys.executable, "-m", "tests.bench.scale", "tokens", "@scrubbed", "@tokenizer", "@tokens"],
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """The cost of a process with its children."""

    seconds: float
    cpu: float  # seconds, user and system
    peak: float  # megabytes of resident memory, the sum over the processes at one moment; shared pages count in each


def cost(command: Sequence[str], folder: Path) -> Cost:
    """Run a command and measure it.

    Raises:
        BadInput: it failed.
    """
    words = [str(folder / word[1:]) if word.startswith("@") else word for word in command]
    log = folder / "log"
    begun, peak = time.perf_counter(), 0.0
    with log.open("wb") as file:
        process = subprocess.Popen(words, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    while True:
        peak = max(peak, _resident(process.pid))
        done, status, usage = os.wait4(process.pid, os.WNOHANG)  # not `Popen.wait`: its usage covers this child and its own children only
        if done:
            break
        time.sleep(TICK)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BadInput(log.read_text("utf-8", "replace").strip().splitlines()[-1], where=" ".join(words[1:3]))
    return Cost(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, peak)


def _resident(pid: int) -> float:
    """Return the resident megabytes of a process and of all processes below it."""
    import psutil

    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0.0
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # ended meanwhile
            continue
    return total / 2**20


def tokens(corpus: Path, tokenizer: Path, out: Path) -> None:
    """Encode the training split into a token file, as the trainer does."""
    from components.train_model.training.feed import make_feed
    from robo_poet.corpus.parquet import read_documents
    from robo_poet.model.tokenizer import Tokenizer

    texts = (document.text for document in read_documents(corpus, split="train"))
    make_feed(texts, Tokenizer.load(tokenizer), window=WINDOW, stride=STRIDE, cache=out)


def measure(sizes: Sequence[float], report: Callable[[str], None]) -> dict[str, dict[float, Cost]]:
    """Return step → size in megabytes → cost."""
    costs: dict[str, dict[float, Cost]] = {name: {} for name in STEPS}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="scale") as name:
            folder = Path(name)
            exact = write_table(folder / "verse.jsonl", verse_documents(verse_lines(), size))
            for name, command in STEPS.items():
                found = costs[name][size] = cost(command, folder)
                report(f"{name}, {exact:.1f} MB: {found.seconds:.1f} s, {found.cpu:.1f} s of CPU, {found.peak:,.0f} MB")
    return costs


def rows_of(costs: dict[str, dict[float, Cost]]) -> list[Row]:
    """Return speed and peak memory per step and size, and the exponent by which the CPU time grows from one size to the next."""
    rows = []
    for name, by_size in costs.items():
        for size, found in by_size.items():
            rows += [
                Row(f"{name}, {size:g} MB", "MB/s", size / found.seconds),
                Row(f"{name}, {size:g} MB", "MB/s of CPU", size / found.cpu),
                Row(f"{name}, {size:g} MB, peak memory", "MB", found.peak),
            ]
        sizes = list(by_size)
        for small, large in itertools.pairwise(sizes):
            growth = math.log(by_size[large].cpu / by_size[small].cpu) / math.log(large / small)
            rows.append(Row(f"{name}, growth of CPU time, {small:g} to {large:g} MB", "exponent", growth))
    for size in next(iter(costs.values())):
        rows.append(Row(f"all steps, {size:g} MB", "s", sum(by_size[size].seconds for by_size in costs.values())))
    return rows


def run(sizes: Sequence[float] = SIZES) -> list[Row]:
    """Return the rows of the table. The sizes are measured one after another, so quiet the machine before.

    Raises:
        BadInput: a package or an environment is missing.
    """
    if not VALIDATE.exists():
        raise BadInput("no such environment", where=".venv-validate", remedy="run make setup")
    return rows_of(measure(sizes, lambda line: print(line, file=sys.stderr, flush=True)))


if __name__ == "__main__":
    if sys.argv[1] == "tokens":
        tokens(*map(Path, sys.argv[2:5]))
    else:
        tell("scale", run([float(word) for word in sys.argv[1:]]), Path("build/bench"))
