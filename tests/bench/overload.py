"""Four times what it can do, for a minute: what is served is still served soon, the rest is told to come again, and it recovers (SERVE-1).

An open loop: requests come when they come, whether or not the earlier ones were answered, as readers do. Only this machine is asked.
"""

import asyncio
import collections
import tempfile
import time
from pathlib import Path

import httpx

from serving.access.key_store import KeyStore
from serving.local import Program, serving
from tests.bench.frame import Row
from tests.bench.serve import NEW, SETTINGS, WARM_SECONDS, Call, alone, by_gateway, crowd, registered, share

SECONDS, TIMES = 60.0, 4.0


def resident(programs: list[Program]) -> float:
    """Megabytes of all programs now."""
    status = [Path(f"/proc/{program.process.pid}/status").read_text() for program in programs]
    return sum(int(text.split("VmRSS:")[1].split()[0]) for text in status) / 1024


class Storm:
    """What became of the requests.

    Attributes:
        served: seconds of each that was answered.
        refused: status → how many; 429 and 503 without `Retry-After` count as `no Retry-After`.
    """

    def __init__(self) -> None:
        self.served: list[float] = []
        self.refused: collections.Counter[str] = collections.Counter()

    async def one(self, call: Call, seed: int) -> None:
        begun = time.perf_counter()
        try:
            await call(seed)
            self.served.append(time.perf_counter() - begun)
        except httpx.HTTPStatusError as error:
            status, told = error.response.status_code, "Retry-After" in error.response.headers
            self.refused[str(status) if told or status not in (429, 503) else "no Retry-After"] += 1
        except httpx.HTTPError as error:
            self.refused[type(error).__name__] += 1

    async def blow(self, call: Call, rate: float) -> None:
        """So many requests a second, at even intervals, to the end."""
        begun, tasks = time.perf_counter(), []
        for number in range(int(rate * SECONDS)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(self.one(call, number)))
        await asyncio.gather(*tasks)


async def measure(address: str, key: str, programs: list[Program]) -> list[Row]:
    """The storm, and the calm before and after."""
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=1000, max_keepalive_connections=1000)) as client:
        call = by_gateway(client, address, key)
        await alone(call, 5)
        await asyncio.sleep(WARM_SECONDS)
        calm = share(await alone(call), 0.5)
        tokens, _ = await crowd(call)
        before = resident(programs)
        storm, begun = Storm(), time.perf_counter()
        await storm.blow(call, TIMES * tokens / NEW)
        ended = time.perf_counter()
        while (await alone(call, 1))[0] > 2 * calm and time.perf_counter() - ended < 60:
            pass
        recovered = time.perf_counter() - ended
        after = resident(programs)
    shed = sum(count for status, count in storm.refused.items() if status in ("429", "503"))
    faults = sum(storm.refused.values()) - shed
    if faults:
        print(dict(storm.refused))
    total = len(storm.served) + sum(storm.refused.values())
    return [
        Row(f"{TIMES:.0f} times its capacity for {SECONDS:.0f} s: requests", "requests/s", total / (ended - begun)),
        Row("served", "requests/s", len(storm.served) / (ended - begun), "closed loop of 32", tokens / NEW),
        Row("served, P95", "s", share(storm.served, 0.95)),
        Row("shed with Retry-After", "%", 100 * shed / total),
        Row("any other failure", "requests", faults),
        Row("as quick as before after", "s", recovered),
        Row("memory after", "MB", after, "before", before),
    ]


def run() -> list[Row]:
    """The figures of one storm."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = registered(folder)
        with serving(SETTINGS, registry.root, folder / "serve") as (address, _, programs):
            key = KeyStore(folder / "serve" / "keys").create("bench", ("generate", "internal-load"), 1).text
            time.sleep(2)  # the gateway looks for new keys each second
            return asyncio.run(measure(address, key, programs))
