import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from robo_poet.settings.serve import TelemetrySettings
from serving.telemetry import audit_log as module
from serving.telemetry.audit_log import AuditLog, Interaction
from serving.telemetry.pseudonym import Pseudonyms

NAMES = Pseudonyms(b"k" * 32)
ONE = Interaction(
    "r1", "generate", 200, 51.23456, user="anna@example.org", credential="rp_12", completion_id="c1", version=3, arm="champion",
    parameters={"temperature": 0.8}, prompt_tokens=3, tokens=100, prompt="my secret\nprompt", completions=["falls the secret night"],
)  # fmt: skip


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("audit-*.jsonl")) for line in path.read_text().splitlines() if line]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true() and time.monotonic() < end:
        time.sleep(0.02)


def test_a_line_has_the_result_and_keyed_digests(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path / "audit", NAMES)
    audit.write(ONE)
    audit.write(Interaction("r2", "generate", 401, 1.0, code="invalid_credentials"))
    until(lambda: audit.counts["written"] == 2)  # before `close`
    first, second = lines(tmp_path / "audit")
    audit.close()
    assert first["user"] == NAMES.user("anna@example.org")
    assert first["prompt_hmac"] == NAMES.text("my secret\nprompt")
    assert first["completion_hmacs"] == [NAMES.text("falls the secret night")]
    assert (first["request_id"], first["completion_id"], first["version"], first["milliseconds"]) == ("r1", "c1", 3, 51.235)
    assert abs(datetime.fromisoformat(first["time"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert (second["user"], second["code"], second["prompt_hmac"]) == ("", "invalid_credentials", None)


def test_the_file_holds_no_text_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path / "audit", NAMES)
    audit.write(ONE)
    audit.close()
    [path] = (tmp_path / "audit").iterdir()
    assert "secret" not in path.read_text()
    assert "anna" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_replicas_share_a_file(tmp_path: Path) -> None:
    audits = [AuditLog(tmp_path, NAMES) for _ in range(3)]
    for n in range(300):
        audits[n % 3].write(Interaction(f"r{n}", "generate", 200, 1.0, completions=["x"] * (n % 7)))
    for audit in audits:
        audit.close()
    assert sorted(line["request_id"] for line in lines(tmp_path)) == sorted(f"r{n}" for n in range(300))


def test_an_invalid_value_drops_only_its_own_line(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, NAMES)
    audit.write(Interaction("r1", "generate", 200, 1.0, parameters={"a": object()}))  # type: ignore[dict-item]
    audit.write(Interaction("r2", "generate", 200, 1.0, completions=7))  # type: ignore[arg-type]
    audit.write(ONE)
    audit.close()
    assert [line["request_id"] for line in lines(tmp_path)] == ["r1"]
    assert audit.counts == {"written": 1, "dropped": 2}


def test_writing_continues_when_the_folder_comes_back(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("in the way")
    audit = AuditLog(tmp_path / "audit", NAMES)
    audit.write(ONE)
    until(lambda: audit.counts["dropped"] == 1)
    (tmp_path / "audit").unlink()
    audit.write(ONE)
    audit.close()
    assert audit.counts == {"written": 1, "dropped": 1}
    assert len(lines(tmp_path / "audit")) == 1


def test_a_line_cut_by_a_full_disk_damages_no_other_line(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, NAMES)
    audit.write(ONE)
    until(lambda: audit.counts["written"] == 1)
    [path] = tmp_path.iterdir()
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, before[1]))
    try:
        audit.write(ONE)
        until(lambda: audit.counts["dropped"] == 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    audit.write(ONE)
    audit.close()
    written = path.read_text().splitlines()
    assert [json.loads(written[k])["request_id"] for k in (0, 2)] == ["r1", "r1"]
    assert len(written) == 3
    assert audit.counts == {"written": 2, "dropped": 1}


def test_a_full_queue_drops_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_INTERVAL_SECONDS", 60)
    audit = AuditLog(tmp_path, NAMES, TelemetrySettings(audit_queue=5))
    for _ in range(8):
        audit.write(ONE)
    audit.close()
    assert audit.counts == {"written": 5, "dropped": 3}
    audit.write(ONE)  # closed
    assert audit.counts["dropped"] == 4


def test_old_files_are_removed_when_a_day_begins(tmp_path: Path) -> None:
    today = datetime.now(UTC)
    names = {days: (today - timedelta(days=days)).strftime(module.FILE_NAME) for days in (1, 29, 32, 400)}
    for name in [*names.values(), "audit-of-mine.jsonl"]:
        (tmp_path / name).write_text("")
    audit = AuditLog(tmp_path, NAMES, TelemetrySettings(audit_keep_days=30))
    audit.write(ONE)
    audit.close()
    kept = {path.name for path in tmp_path.iterdir()}
    assert {names[1], names[29], "audit-of-mine.jsonl"} <= kept
    assert not {names[32], names[400]} & kept


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("")
    folder = tmp_path / "audit"
    folder.mkdir()
    for days in (0, 1):  # should midnight pass
        (folder / (datetime.now(UTC) + timedelta(days=days)).strftime(module.FILE_NAME)).symlink_to(target)
    audit = AuditLog(folder, NAMES)
    audit.write(ONE)
    audit.close()
    assert audit.counts == {"written": 0, "dropped": 1}
    assert target.read_text() == ""


WRITER = """
import sys, time
from pathlib import Path
from serving.telemetry.audit_log import AuditLog
from serving.telemetry.audit_log import Interaction
from serving.telemetry.pseudonym import Pseudonyms
audit = AuditLog(Path(sys.argv[1]), Pseudonyms(b"k" * 32))
n = 0
while True:
    at = time.time()
    audit.write(Interaction(str(n), "generate", 200, 1.0))
    print(at, n, flush=True)
    n += 1
    time.sleep(0.005)
"""


def test_a_killed_process_loses_at_most_the_last_second(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}  # noqa: PTH109
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env=environment, text=True)
    time.sleep(2)
    process.kill()
    killed = time.time()
    printed = [line.split() for line in process.communicate()[0].splitlines()[:-1]]
    promised = [n for at, n in printed if float(at) < killed - 1]
    assert [line["request_id"] for line in lines(tmp_path)][: len(promised)] == promised
