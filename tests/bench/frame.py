"""How a benchmark is taken and told: everything that is compared runs in turns, and medians count."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """A line of the table. `ratio` > 1: ours is better, whichever way the unit counts.

    Attributes:
        unit: of `ours` and `peer`; seconds, milliseconds, megabytes and the like are better small, everything a second better large.
    """

    case: str
    unit: str
    ours: float
    peer_name: str = ""
    peer: float | None = None

    @property
    def ratio(self) -> float | None:
        if not self.peer or not self.ours:
            return None
        return self.ours / self.peer if "/s" in self.unit or "/watt" in self.unit else self.peer / self.ours

    def as_json(self) -> dict[str, Any]:
        numbers = {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}
        return {**numbers, "ratio": round(self.ratio, 3) if self.ratio else None}


def in_turns(calls: Mapping[str, Callable[[], Any]], rounds: int = 7) -> dict[str, float]:
    """Median seconds of each call. They take turns, so that what else the machine does slows all of them alike; one unmeasured
    round comes first."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            if number:
                taken[name].append(time.perf_counter() - begun)
    print("\r" + " " * 30 + "\r", end="", file=sys.stderr, flush=True)
    return {name: statistics.median(times) for name, times in taken.items()}


def apart(module: str, *arguments: str) -> dict[str, Any]:
    """What `python -m module arguments` prints as its last line, JSON: for what needs a process of its own, such as peak memory."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def peak_memory() -> float:
    """Peak resident megabytes of this process. Not `getrusage`, whose peak a new process inherits from the one that started it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def machine() -> dict[str, Any]:
    """Where the figures hold."""
    words = Path("/proc/cpuinfo").read_text().split("\n")
    model = next((line.split(":", 1)[1].strip() for line in words if line.startswith("model name")), platform.processor())
    flags = next((line.split() for line in words if line.startswith("flags")), [])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model, "cores": os.cpu_count(), "memory_gib": round(memory / 2**30, 1), "python": platform.python_version(),
        "bfloat16": any(flag in flags for flag in ("avx512_bf16", "amx_bf16")), "load": os.getloadavg()[0],
    }  # fmt: skip


def tell(name: str, rows: list[Row], out: Path) -> None:
    """Print the table and write `out/<name>.json`; below the table stands where a picture of it is, if the benchmark drew one."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("case", "unit", "ours", "peer", "ratio"):
        table.add_column(title, justify="left" if title in ("case", "unit") else "right")
    for row in rows:
        peer = f"{row.peer:,.2f} {row.peer_name}" if row.peer is not None else ""
        table.add_row(row.case, row.unit, f"{row.ours:,.2f}", peer, f"{row.ratio:.2f} ×" if row.ratio else "")
    where = machine()
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(f"{where['cores']} cores, {where['processor']}, load {where['load']:.1f}; ratio > 1: ours is better", style="dim")
    if (picture := out / f"{name}.svg").exists():
        console.print(f"the curve: {picture}", style="dim", soft_wrap=True)
    out.mkdir(parents=True, exist_ok=True)
    found = {"bench": name, "machine": where, "rows": [row.as_json() for row in rows]}
    (out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
