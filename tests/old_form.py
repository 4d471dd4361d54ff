"""A registry of form 1: one log without model names, as releases before named models wrote it."""

from pathlib import Path

from robo_poet.digest import digest_bytes
from robo_poet.registry.log.entry import GENESIS, canonical


def write_old_form(root: Path) -> None:
    """Write a registry of form 1 with a champion and a rejected version to the folder `root`."""
    previous = GENESIS
    statements = []
    for number, stage in ((1, "candidate"), (2, "rejected")):
        manifest = canonical({"files": {"model/weights": digest_bytes(str(number).encode())}, "metrics": {}, "lineage": {}, "decision": {}})
        folder = root / "versions" / digest_bytes(manifest)[:16]
        (folder / "model").mkdir(parents=True)
        (folder / "manifest.json").write_bytes(manifest)
        (folder / "model" / "weights").write_text(str(number))
        statements.append(("register", number, {"digest": digest_bytes(manifest), "identity": f"i{number}", "stage": stage}))
    statements.append(("promote", 1, {}))
    (root / "log").mkdir()
    for index, (action, version, details) in enumerate(statements, 1):
        body = {
            "index": index, "previous": previous, "action": action, "version": version, "who": "ada", "why": "test",
            "details": details, "nonce": f"n{index}", "time": "2026-01-01T00:00:00+00:00",
        }  # fmt: skip
        data = canonical({**body, "sha256": digest_bytes(canonical(body))})
        (root / "log" / f"{index:08d}.json").write_bytes(data)
        previous = digest_bytes(data)
