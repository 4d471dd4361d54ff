import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving.telemetry.audit_files import SEGMENTS, AuditFiles

NOON = datetime.now(UTC).replace(hour=12)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def line(number: int, length: int = 100) -> bytes:
    return json.dumps({"n": number, "x": "x" * length}).encode() + b"\n"


def numbers(folder: Path, kind: str) -> list[int]:
    return sorted(json.loads(text)["n"] for path in folder.glob(f"{kind}-*") for text in path.read_text().splitlines())


def test_a_day_has_segments_that_continue_after_a_restart(tmp_path: Path) -> None:
    for begin in (0, 500):
        files = AuditFiles(tmp_path, 1_000_000, 90)
        for number in range(begin, begin + 500):
            files.append("audit", line(number), NOON)
        files.close()
    day = NOON.strftime("%Y-%m-%d")
    assert sorted(path.name for path in tmp_path.iterdir())[:2] == [f"audit-{day}.0002.jsonl", f"audit-{day}.0003.jsonl"]
    assert numbers(tmp_path, "audit") == list(range(1000))
    assert all(path.stat().st_size < 1_000_000 // SEGMENTS + 200 for path in tmp_path.iterdir())


def test_a_full_folder_loses_refusals_before_interactions(tmp_path: Path) -> None:
    files = AuditFiles(tmp_path, 200_000, 90)
    for number in range(1000):
        files.append("refusals", line(number), NOON)
        files.append("audit", line(number), NOON)
        assert size(tmp_path) <= 200_000
    assert numbers(tmp_path, "audit") == list(range(1000)) and files.removed["interactions"] == 0
    assert 0 < len(numbers(tmp_path, "refusals")) < 1000 and 999 in numbers(tmp_path, "refusals")  # the newest are kept
    for number in range(1000, 3000):
        files.append("audit", line(number), NOON)
        assert size(tmp_path) <= 200_000
    kept = numbers(tmp_path, "audit")
    assert kept == list(range(kept[0], 3000)) and len(kept) > 1300 and not list(tmp_path.glob("refusals-*"))
    assert files.removed["interactions"] > 0 and files.removed["refusals"] > 0
    files.append("refusals", line(1), NOON)  # its file was removed while it was open
    assert numbers(tmp_path, "refusals") == [1]


def test_replicas_share_the_folder_and_its_limit(tmp_path: Path) -> None:
    replicas = [AuditFiles(tmp_path, 200_000, 90) for _ in range(2)]
    for number in range(4000):
        replicas[number % 2].append("audit", line(number), NOON)
    assert size(tmp_path) <= 200_000 and numbers(tmp_path, "audit")[-1000:] == list(range(3000, 4000))


def test_old_files_are_removed_and_other_files_stay(tmp_path: Path) -> None:
    names = {days: (NOON - timedelta(days=days)).strftime("audit-%Y-%m-%d.jsonl") for days in (1, 29, 32, 400)}
    for name in [
        *names.values(),
        names[400].replace("audit", "refusals"),
        names[400].replace(".jsonl", ".0002.jsonl"),
        "audit-of-mine.jsonl",
    ]:
        (tmp_path / name).write_text("")
    files = AuditFiles(tmp_path, 1_000_000, 30)
    files.trim()
    assert {path.name for path in tmp_path.iterdir()} == {names[1], names[29], "audit-of-mine.jsonl"}
    assert files.removed == {"interactions": 0, "refusals": 0}


def test_folder_and_files_are_private_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        AuditFiles(tmp_path / "serve" / "audit", 1_000_000, 90).append("audit", line(1), NOON)
    finally:
        os.umask(before)
    [path] = (tmp_path / "serve" / "audit").iterdir()
    assert [oct(each.stat().st_mode & 0o777) for each in (path, path.parent, path.parent.parent)] == ["0o600", "0o700", "0o700"]


def test_a_line_that_an_earlier_process_left_incomplete_damages_no_other_line(tmp_path: Path) -> None:
    path = tmp_path / NOON.strftime("audit-%Y-%m-%d.jsonl")
    path.write_bytes(b'{"n": 1}\n{"n"')
    AuditFiles(tmp_path, 1_000_000, 90).append("audit", line(2), NOON)
    assert [text[:5] for text in path.read_text().splitlines()] == ['{"n":', '{"n"', '{"n":']


def test_a_fifo_in_the_place_of_a_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NOON.strftime("audit-%Y-%m-%d.jsonl"))
    with pytest.raises(OSError, match="not a regular file"):
        AuditFiles(tmp_path, 1_000_000, 90).append("audit", line(1) * 3, NOON)
