"""Readers in front of MODEL-1: the gateway beside the model server alone, one reader and 32, in one run (SERVE-1).

Untrained weights cost what trained ones cost. Both ways write 100 tokens from the same prompt, in turns of a few seconds.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from robo_poet.registry.registry import Registry
from robo_poet.registry.state import Stage
from robo_poet.settings.serve import ServeSettings
from serving.access.key_store import KeyStore
from serving.local import Program, serving
from tests.bench.edge import make
from tests.bench.frame import Row

NEW, READERS, EACH, ALONE, ROUNDS = 100, 32, 6, 20, 3
PROMPT = "rose1 night2 sun3 rose4"
WARM_SECONDS = 20.0  # for the batch sizes that are compiled in the background

# An untrained model writes what the filter takes for a flood of one phrase: it is judged, and let through.
SETTINGS = ServeSettings.model_validate({"port": 0, "content_filter": {"rules": {"completion": "log"}}})

Call = Callable[[int], Awaitable[int]]  # a seed → tokens written


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
    registry = Registry(folder / "registry")
    registry.register(
        {"model": made / "model", "tokenizer": made / "tokenizer"}, metrics={}, lineage={}, decision={}, stage=Stage.CANDIDATE,
        who="bench", why="untrained, of full size",
    )  # fmt: skip
    registry.promote(1, who="bench", why="the only one")
    return registry


def by_gateway(client: httpx.AsyncClient, address: str, key: str) -> Call:
    """As a reader asks."""

    async def call(seed: int) -> int:
        body = {"text": PROMPT, "max_length": NEW, "seed": seed}
        answer = await client.post(f"{address}/v1/generate", json=body, headers={"X-API-Key": key})
        answer.raise_for_status()
        return int(answer.json()["metadata"]["tokens_generated"])

    return call


def direct(client: httpx.AsyncClient, address: str, prompt: list[int]) -> Call:
    """The same of the model server, as the gateway asks it."""

    async def call(seed: int) -> int:
        row = {
            "prompt": prompt, "prompt_length": len(prompt), "max_new": NEW, "min_new": 10, "repetition_penalty": 1.0, "stop_tokens": [0],
            "banned_tokens": [0], "temperature": 0.8, "top_k": 50, "top_p": 0.9, "seed": seed,
        }  # fmt: skip
        body = json.dumps({"signature_name": "generate_xla", "instances": [row]})
        answer = await client.post(f"{address}/v1/models/robo-poet/versions/1:predict", content=body)
        answer.raise_for_status()
        return int(answer.json()["predictions"][0]["length"])

    return call


async def alone(call: Call, count: int = ALONE) -> list[float]:
    """Seconds of each of so many calls, one after another."""
    taken = []
    for seed in range(count):
        begun = time.perf_counter()
        await call(seed)
        taken.append(time.perf_counter() - begun)
    return taken


async def crowd(call: Call) -> tuple[float, list[float]]:
    """Tokens a second of 32 readers who each ask again as soon as they are answered, and the seconds of each call."""
    taken: list[float] = []
    tokens = 0

    async def reader(number: int) -> None:
        nonlocal tokens
        for turn in range(EACH):
            begun = time.perf_counter()
            written = await call(1000 * number + turn)
            tokens += written  # not in one line: that would read the sum before it waits
            taken.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(reader(number) for number in range(READERS)))
    return tokens / (time.perf_counter() - begun), taken


def share(values: list[float], part: float) -> float:
    """A percentile."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def peak_megabytes(programs: list[Program]) -> float:
    """Of all programs together."""
    status = [Path(f"/proc/{program.process.pid}/status").read_text() for program in programs]
    return sum(int(text.split("VmHWM:")[1].split()[0]) for text in status) / 1024


async def measure(address: str, behind: str, key: str, prompt: list[int]) -> dict[str, Any]:
    """Both ways in turns; medians over the rounds."""
    limits = httpx.Limits(max_connections=READERS, max_keepalive_connections=READERS)
    found: dict[str, list[Any]] = {name: [] for name in ("gateway", "direct", "crowd", "crowd direct", "errors")}
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        ways = {"gateway": by_gateway(client, address, key), "direct": direct(client, behind, prompt)}
        for call in ways.values():
            await alone(call, 5)
        await asyncio.sleep(WARM_SECONDS)
        for _ in range(ROUNDS):
            for name, call in ways.items():
                found[name] += await alone(call)
            found["crowd"].append(await crowd(ways["gateway"]))
            found["crowd direct"].append(await crowd(ways["direct"]))
    return found


def run() -> list[Row]:
    """Latency and throughput through the gateway and without it; start and memory."""
    from robo_poet.model.tokenizer import START, Tokenizer

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = registered(folder)
        prompt = [START, *Tokenizer.load(registry.version(1).folder / "tokenizer").encode(PROMPT)]
        begun = time.perf_counter()
        with serving(SETTINGS, registry.root, folder / "serve") as (address, _, programs):
            ready = time.perf_counter() - begun
            key = KeyStore(folder / "serve" / "keys").create("bench", ("generate", "internal-load"), 1).text
            time.sleep(2)  # the gateway looks for new keys each second
            behind = json.loads((folder / "serve" / "gateway.json").read_text())["model_server"]
            found = asyncio.run(measure(address, behind, key, prompt))
            memory = peak_megabytes(programs)
    gateway, server = found["gateway"], found["direct"]
    many, bare = statistics.median(speed for speed, _ in found["crowd"]), statistics.median(speed for speed, _ in found["crowd direct"])
    one = NEW / statistics.median(gateway)
    waits = [seconds for _, taken in found["crowd"] for seconds in taken]
    other = "model server alone"
    return [
        Row("one reader, 100 tokens, P50", "ms", 1000 * share(gateway, 0.5), other, 1000 * share(server, 0.5)),
        Row("one reader, 100 tokens, P99", "ms", 1000 * share(gateway, 0.99), other, 1000 * share(server, 0.99)),
        Row("the gateway's part of it, P50", "ms", 1000 * (share(gateway, 0.5) - share(server, 0.5))),
        Row("32 readers", "tokens/s", many, other, bare),
        Row("32 readers", "tokens/s", many, "one reader", one),
        Row("32 readers, P95", "ms", 1000 * share(waits, 0.95)),
        Row("ready after", "s", ready),
        Row("both programs, peak memory", "MB", memory),
    ]
