"""A program that registers versions and is killed at any moment leaves a registry that verifies, and the next one finishes its work (REG-2).

test_killed.py kills at each file operation of a small version; here the files are large enough that kills also come within a copy.
"""

import os
import random
from pathlib import Path

from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version
from tests.killing import killed_after

KILLS = 200 if os.environ.get("ROBO_POET_SOAK") else 8
SAID = {"who": "ada", "why": "test"}
BYTES = 3_000_000  # of a version


def register(folder: Path, number: int) -> Version:
    """Register the version with this content, once."""
    registry = Registry(folder / "registry", "poems")
    return registry.register(
        {"weights": folder / "weights", "note": folder / f"note{number}"}, metrics={}, lineage={"seed": number}, decision={},
        stage="candidate", **SAID,
    )  # fmt: skip


def test_a_registrar_that_is_killed_leaves_no_half_version(tmp_path: Path) -> None:
    dice, registry, killed, done = random.Random(1), Registry(tmp_path / "registry", "poems"), 0, 0
    (tmp_path / "weights").write_bytes(dice.randbytes(BYTES))
    (tmp_path / "note0").write_text("0")
    register(tmp_path, 0)
    longest = 0.2  # seconds until a kill
    for number in range(1, KILLS + 1):
        (tmp_path / f"note{number}").write_text(str(number))
        killed += killed_after(dice.uniform(0, longest), lambda number=number: register(tmp_path, number))
        versions = registry.versions()
        assert len(versions) in (number, number + 1)  # with or without the new one
        done += len(versions) > number
        longest = min(5.0, longest * (0.5 if len(versions) > number else 1.2))  # so that kills come around the registration
        version = register(tmp_path, number)  # the next program: it finishes the work, or finds it done
        assert version.number == number + 1 and len(registry.versions()) == number + 1
        version.verify()
        if number % 20 == 0 or number == KILLS:
            registry.verify()  # every file of every version, every signature, one chain
            for old in range(max(1, number - 19), number):  # each version has 3 MB
                registry.reject(old, **SAID)
                registry.purge(old, **SAID)
    print(f"{killed} of {KILLS} registrars were killed, {done} had registered their version")
    assert killed > KILLS // 4 or KILLS < 200  # few rounds may not find the moment
