"""SERVE-6 at full size: MODEL-1 in a process of its own, as a device would run it."""

import re
import subprocess
import sys
import time
from pathlib import Path

from pipelines.images.programs import ROOT


def test_the_full_model_starts_in_one_second_within_512_mib(full_size: Path) -> None:
    best = {"ready": float("inf"), "each": float("inf")}
    for _ in range(3):  # the best of three: this is a promise about the program, and other tests run beside it
        began = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "serving.edge", str(full_size), "rose night sun", "--seed", "1", "--max-length", "300", "--min-length", "300"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        ) as process:  # fmt: skip
            assert process.stdout and process.stderr
            process.stdout.read(1)
            best["ready"] = min(best["ready"], time.monotonic() - began)
            _, err = process.communicate()
        figures = re.search(r"(\d+) tokens read and written, ([\d.]+) ms per token, peak memory (\d+) MiB", err)
        assert process.returncode == 0 and figures and int(figures[1]) > 300, err
        best["each"] = min(best["each"], float(figures[2]))
        assert int(figures[3]) <= 512
    assert best["ready"] <= 1.0
    assert best["each"] <= 20  # milliseconds; 0.3 on this machine when it has nothing else to do, 100 to 200 are allowed on a phone
