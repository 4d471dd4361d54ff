"""Readers in front of MODEL-1: the gateway beside the model server alone, one reader and 32, in one run (SERVE-1).

Untrained weights cost what trained ones cost. Both ways write 100 tokens from the same prompt, in turns of a few seconds.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import Stage
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import KeyStore
from serving.local import serving
from serving.supervisor.program import ChildProcess
from tests.bench.edge import make
from tests.bench.frame import Row
from tests.serving.load import Summary, Target, closed_loop, summary

NEW, READERS, EACH, ALONE, ROUNDS = 100, 32, 6, 20, 3
PROMPT = "rose1 night2 sun3 rose4"
WARM_SECONDS = 20.0  # for the batch sizes that are compiled in the background

# An untrained model writes what the filter takes for a flood of one phrase: it is judged, and let through.
SETTINGS = ServeSettings.model_validate({
    "port": 0, "content_filter": {"rules": {"completion": "log"}},
    "connections_per_address": 1000, "in_flight_per_user": 1000,  # all clients of a benchmark are one user at one address
})  # fmt: skip


def registered(folder: Path) -> Registry:
    """A registry whose champion is MODEL-1, untrained."""
    made = folder / "made"
    made.mkdir()
    make(made)
    (made / "model").mkdir()
    for name in ("saved_model", "edge"):
        (made / name).rename(made / "model" / name)
    edge = json.loads((made / "model" / "edge" / "manifest.json").read_text())
    (made / "model" / "manifest.json").write_text(json.dumps({key: edge[key] for key in ("size", "vocabulary", "max_length")}))
    registry = Registry(folder / "registry", "shakespeare")
    registry.register(
        {"model": made / "model", "tokenizer": made / "tokenizer"}, metrics={}, lineage={}, decision={}, stage=Stage.CANDIDATE,
        who="bench", why="untrained, of full size",
    )  # fmt: skip
    registry.promote(1, who="bench", why="the only one")
    return registry


def asked(number: int) -> dict[str, Any]:
    """As a reader asks the gateway."""
    return {"text": PROMPT, "max_length": NEW, "seed": number}


def directly(address: str, prompt: list[int]) -> Target:
    """The same of the model server, as the gateway asks it."""
    row = {
        "prompt": prompt, "prompt_length": len(prompt), "max_new": NEW, "min_new": 10, "repetition_penalty": 1.0, "stop_tokens": [0],
        "banned_tokens": [0], "temperature": 0.8, "top_k": 50, "top_p": 0.9,
    }  # fmt: skip
    return Target(
        address, lambda number: {"signature_name": "generate_xla", "instances": [{**row, "seed": number}]},
        path="/v1/models/shakespeare/versions/1:predict", tokens=lambda answer: int(answer["predictions"][0]["length"]),
    )  # fmt: skip


def megabytes(programs: list[ChildProcess], figure: str = "VmRSS") -> dict[str, float]:
    """Of each program, and of what it started: the gateway's request log. `VmRSS`: resident now; `VmHWM`: at most."""
    pids = {program.name: program.process.pid for program in programs}
    for pid in list(pids.values()):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                pids["request log"] = int(child)
    status = {name: Path(f"/proc/{pid}/status").read_text() for name, pid in pids.items()}
    return {name: int(text.split(f"{figure}:")[1].split()[0]) / 1024 for name, text in status.items()}


@dataclass(frozen=True)
class Served:
    """MODEL-1 in front of readers; `ready` is the seconds until then, `folder` has its settings."""

    target: Target
    programs: list[ChildProcess]
    registry: Registry
    folder: Path
    ready: float


@contextmanager
def served() -> Iterator[Served]:
    """As `make serve` does it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = registered(folder)
        begun = time.perf_counter()
        with serving(SETTINGS, registry.root, folder / "serve") as service:
            ready = time.perf_counter() - begun
            key = KeyStore(folder / "serve" / "keys").create("bench", ("generate", "internal-load"), 1).text
            time.sleep(2)  # the gateway looks for new keys each second
            yield Served(Target(service.address, asked, {"X-API-Key": key}), service.children, registry, folder / "serve", ready)


async def measure(ways: Mapping[str, Target]) -> dict[str, dict[str, list[Summary]]]:
    """Way → one reader and many → a summary a round; the ways take turns."""
    found: dict[str, dict[str, list[Summary]]] = {way: {"one": [], "many": []} for way in ways}
    for target in ways.values():
        await closed_loop(target, 1, 5)
    await asyncio.sleep(WARM_SECONDS)
    for _ in range(ROUNDS):
        for way, target in ways.items():
            found[way]["one"].append(summary(await closed_loop(target, 1, ALONE)))
        for way, target in ways.items():
            found[way]["many"].append(summary(await closed_loop(target, READERS, READERS * EACH)))
    return found


def middle(rounds: Sequence[Summary], figure: str) -> float:
    """The median of the rounds."""
    return statistics.median(getattr(one, figure) for one in rounds)


def run() -> list[Row]:
    """Latency and throughput through the gateway and without it; start and memory."""
    from robo_poet.model.tokenizer import START, Tokenizer

    with served() as running:
        words = Tokenizer.load(running.registry.version(1).folder / "tokenizer")
        behind = json.loads((running.folder / "gateway.json").read_text())["model_server"]
        found = asyncio.run(measure({"gateway": running.target, "direct": directly(behind, [START, *words.encode(PROMPT)])}))
        memory = sum(megabytes(running.programs, "VmHWM").values())
    (one, many), (bare, bare_many) = ((found[way]["one"], found[way]["many"]) for way in ("gateway", "direct"))
    faults = sum(count for rounds in (one, many) for each in rounds for status, count in each.statuses.items() if status != "200")
    other, speed, own = "model server alone", middle(many, "tokens_per_second"), middle(one, "p50") - middle(bare, "p50")
    return [
        Row("one reader, 100 tokens, P50", "ms", 1000 * middle(one, "p50"), other, 1000 * middle(bare, "p50")),
        Row("one reader, 100 tokens, P99", "ms", 1000 * max(each.p99 for each in one), other, 1000 * max(each.p99 for each in bare)),
        Row("the gateway's part of it, P50", "ms", 1000 * own),
        Row("32 readers", "tokens/s", speed, other, middle(bare_many, "tokens_per_second")),
        Row("32 readers", "tokens/s", speed, "one reader", middle(one, "tokens_per_second")),
        Row("32 readers, P95", "ms", 1000 * middle(many, "p95"), other, 1000 * middle(bare_many, "p95")),
        Row("answers that are not text", "requests", faults),
        Row("ready after", "s", running.ready),
        Row("all programs, peak memory", "MB", memory),
    ]
