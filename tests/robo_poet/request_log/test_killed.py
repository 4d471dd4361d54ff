"""A gateway or its writer killed at any moment: what was put more than a second before is read, once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from robo_poet.request_log.query import read
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings

GATEWAY = """
import sys, time
from pathlib import Path
from robo_poet.request_log.log import RequestLog
from robo_poet.request_log.record import Request
from robo_poet.settings.serve import RequestLogSettings

log = RequestLog(Path(sys.argv[1]), RequestLogSettings(names="patterns", part_records=40, part_seconds=0.5))
n = 0
while log.counts["written"] == 0:
    log.put(Request(f"{sys.argv[2]}-{n}", "r", time.time(), "u", "poems", 1, "d", "champion", "the night", ["falls"]))
    n += 1
    time.sleep(0.05)
print(log._process.pid, flush=True)
while True:
    at = time.time()
    log.put(Request(f"{sys.argv[2]}-{n}", "r", at, "u", "poems", 1, "d", "champion", "the night", ["falls"]))
    print(at, f"{sys.argv[2]}-{n}", flush=True)
    n += 1
    time.sleep(0.004)
"""


@pytest.mark.parametrize("victims", ["gateway", "both"])
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 12))])
def test_a_kill_loses_at_most_the_last_second_and_doubles_nothing(tmp_path: Path, victims: str, seed: int) -> None:
    dice = random.Random(seed)
    script = tmp_path / "gateway.py"
    script.write_text(GATEWAY)
    folder = tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}  # noqa: PTH109
    command = [sys.executable, str(script), str(folder)]
    gateways = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, env=environment, text=True) for name in ("a", "b")
    ]  # two replicas
    writers = []
    put: list[list[str]] = []  # time and name of each record
    handed_over: set[str] = set()  # names that the gateways had given to their writers, without the last 20 of each
    for one in gateways:
        assert one.stdout
        writers.append(int(one.stdout.readline()))
    time.sleep(dice.uniform(0.5, 2))  # whatever the moment, it holds
    killed = time.time()
    for one, writer in zip(gateways, writers, strict=True):
        one.kill()
        if victims == "both":
            os.kill(writer, signal.SIGKILL)
    for one in gateways:
        lines = one.communicate()[0].splitlines()[:-1]  # the last line may be half written
        put += [line.split() for line in lines if len(line.split()) == 2]
        handed_over |= {line.split()[1] for line in lines[:-20] if len(line.split()) == 2}
    for writer in writers:
        gone(writer)
    assert len(put) > 20
    promised = {name for at, name in put if float(at) < killed - 1}

    after = read(folder)["completion_id"].to_pylist()  # a reader finds it before any writer has mended anything
    assert len(after) == len(set(after))
    assert promised <= set(after)
    nobody = Writer(folder, RequestLogSettings())
    nobody.recover()
    assert sorted(read(folder)["completion_id"].to_pylist()) == sorted(after)
    assert not list(folder.rglob("_spool*"))
    if victims == "gateway":
        assert set(after) >= handed_over  # the writers went on to the end


def gone(pid: int) -> None:
    """Wait for a process that is not our child."""
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
