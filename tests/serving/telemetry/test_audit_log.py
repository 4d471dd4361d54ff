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

from robo_poet.settings.serve import TelemetrySettings
from serving.telemetry.audit_log import AuditLog, Interaction
from serving.telemetry.pseudonym import Pseudonyms
from serving.telemetry.refusals import RefusalKey

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


def test_a_closed_log_drops_and_counts(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, NAMES)
    audit.close()
    audit.write(ONE)
    assert audit.counts == {"written": 0, "dropped": 1}


def test_parameters_are_rounded(tmp_path: Path) -> None:
    """A temperature of 16 digits can be a card number."""
    audit = AuditLog(tmp_path, NAMES)
    audit.write(Interaction("r1", "generate", 200, 1.0, parameters={"temperature": 0.4111111111111111, "top_k": 50, "stream": True}))
    audit.close()
    assert lines(tmp_path)[0]["parameters"] == {"temperature": 0.4111, "top_k": 50, "stream": True}


BAD = RefusalKey("203.0.113.7", "", "", "generate", 401, "invalid_credentials")


def refusals(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("refusals-*.jsonl")) for line in path.read_text().splitlines()]


def test_refusals_of_a_client_make_two_lines_in_an_interval(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, NAMES)
    for number in range(1000):
        audit.refuse(BAD, f"r{number}")
        if number == 0:
            assert [line["count"] for line in refusals(tmp_path)] == [1]  # before the answer
    audit.refuse(BAD._replace(code="missing_credentials"), "other code")
    audit.close()
    written = refusals(tmp_path)
    assert [(line["code"], line["count"], line["request_id"]) for line in written] == [
        ("invalid_credentials", 1, "r0"), ("missing_credentials", 1, "other code"), ("invalid_credentials", 999, ""),
    ]  # fmt: skip
    assert {line["address"] for line in written} == {NAMES.address("203.0.113.7")} and "203.0.113" not in json.dumps(written)
    assert all(line["time"] <= line["until"] for line in written) and lines(tmp_path) == []


def test_refusals_of_many_addresses_are_summed_as_other(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, NAMES, TelemetrySettings(audit_refusal_addresses=10))
    for number in range(5000):
        audit.refuse(BAD._replace(address=f"2001:db8:0:{number:x}::/64"), "r")
    audit.close()
    written = refusals(tmp_path)
    assert len(written) == 12 and sum(line["count"] for line in written) == 5000
    assert [line["count"] for line in written if line["address"] == "other"] == [1, 4989]


def test_the_counts_are_written_at_the_end_of_each_interval(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, NAMES, TelemetrySettings(audit_refusal_seconds=0.05))
    audit.refuse(BAD, "r1")
    audit.refuse(BAD, "r2")
    until(lambda: len(refusals(tmp_path)) >= 2)
    until(lambda: not len(audit._refusals))
    audit.refuse(BAD, "r3")
    audit.close()
    assert sum(line["count"] for line in refusals(tmp_path)) == 3 and refusals(tmp_path)[-1]["request_id"] == "r3"


def test_the_operator_is_warned_once_of_a_full_folder_and_of_lost_lines(tmp_path: Path) -> None:
    said: list[str] = []
    audit = AuditLog(tmp_path / "audit", NAMES, TelemetrySettings(audit_megabytes=1), say=said.append)
    for _ in range(3000):
        audit.write(ONE)
    (tmp_path / "audit").rename(tmp_path / "moved")
    (tmp_path / "audit").write_text("in the way")
    for _ in range(200):  # until the next segment
        audit.write(ONE)
    audit.close()
    assert audit.removed["interactions"] > 0 and audit.counts["dropped"] > 0
    assert [" ".join(line.split()[:5]) for line in sorted(said)] == ["audit lines cannot be written", "the audit folder has reached"]


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("")
    folder = tmp_path / "audit"
    folder.mkdir()
    for days in (0, 1):  # should midnight pass
        (folder / (datetime.now(UTC) + timedelta(days=days)).strftime("audit-%Y-%m-%d.jsonl")).symlink_to(target)
    audit = AuditLog(folder, NAMES)
    audit.write(ONE)
    audit.close()
    assert audit.counts == {"written": 0, "dropped": 1}
    assert target.read_text() == ""


WRITER = """
import sys
from pathlib import Path
from serving.telemetry.audit_log import AuditLog
from serving.telemetry.audit_log import Interaction
from serving.telemetry.pseudonym import Pseudonyms
audit = AuditLog(Path(sys.argv[1]), Pseudonyms(b"k" * 32))
n = 0
while True:
    audit.write(Interaction(str(n), "generate", 200, 1.0))
    print(n, flush=True)
    n += 1
"""


def test_a_killed_process_loses_no_line(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}  # noqa: PTH109
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    printed = [process.stdout.readline().strip() for _ in range(500)]
    process.kill()
    printed += process.communicate()[0].split("\n")[:-1]
    assert [line["request_id"] for line in lines(tmp_path)][: len(printed)] == printed
