"""Runs of a step, all in one process that cannot reach any other machine, once for each setting of the Beam runner."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNNERS = (
    {"runner": "embedded"},
    {"runner": "embedded", "workers": 2, "shard_megabytes": 1e-6},
    {"runner": "embedded", "workers": 3, "options": ["--direct_running_mode=multi_threading"]},
    {"runner": "dask", "workers": 2, "shard_megabytes": 1e-6},
)  # all must give the bytes of the plain code
BLOCK = """
import socket
connect = socket.socket.connect

def local(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
        raise SystemExit(f"the network was asked for {address[0]}")
    return connect(self, address)

def block_network():
    socket.socket.connect = local
"""
SCRIPT = """
import json, sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    block_network()
    step, outputs, arguments, *runs = sys.argv[1:]
    main = import_module(f"components.{step}.__main__").main
    for number, beam in enumerate(runs):
        out = [f"--{name}={Path(f'out{number}') / name}" for name in outputs.split()]
        print(main([*json.loads(arguments), f"--beam={beam}", *out]), flush=True)
"""


@dataclass(frozen=True)
class Runs:
    """The exit status of each run, and the standard error of all. The outputs of the run `n` are in `folder/outn`."""

    folder: Path
    outputs: Sequence[str]
    statuses: list[str]
    said: str

    def digests(self, number: int) -> list[str]:
        """Return the digests of the outputs of a run."""
        return [hashlib.sha256((self.folder / f"out{number}" / name).read_bytes()).hexdigest() for name in self.outputs]

    def files(self, number: int) -> set[str]:
        """Return the names of all files that a run left."""
        folder = self.folder / f"out{number}"
        return {path.name for path in folder.iterdir()} if folder.exists() else set()


def run_offline(
    folder: Path, step: str, outputs: Sequence[str], arguments: Sequence[str], *beams: Mapping[str, object], python: str = sys.executable
) -> Runs:
    """Run a step in `folder`, once for each section `beam`."""
    script = folder / "offline.py"
    script.write_text(BLOCK + SCRIPT)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.run(
        [python, str(script), step, " ".join(outputs), json.dumps(list(arguments)), *map(json.dumps, beams)],
        cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    return Runs(folder, outputs, process.stdout.split(), process.stderr)
