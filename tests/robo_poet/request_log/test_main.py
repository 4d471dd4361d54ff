"""The writer process, without a gateway."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from robo_poet.request_log.query import read
from robo_poet.request_log.record import Feedback, Request


def write(folder: Path, *lines: bytes) -> dict[str, Any]:
    """Run the process with these lines as input; return its last report."""
    command = [sys.executable, "-m", "robo_poet.request_log", "--folder", str(folder), "--settings", '{"names": "patterns"}']
    process = subprocess.run(command, input=b"\n".join([*lines, b""]), stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(process.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def line(kind: str, row: Request | Feedback) -> bytes:
    return json.dumps({"kind": kind, "row": asdict(row)}).encode()


def test_requests_feedback_and_scores_are_written_at_the_end_of_the_input(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    now = time.time()
    patch = {"kind": "patch", "completion_id": "c0", "fields": {"prompt_perplexity": 20.0, "prompt_scored_tokens": 4}}
    feedback = Feedback("c0", now, "u", rating=4)
    report = write(tmp_path, line("request", request_of(0, time=now)), line("feedback", feedback), json.dumps(patch).encode())
    [row] = read(tmp_path).to_pylist()
    assert (row["prompt"], row["completions"]) == ("the night", ["falls softly"])
    assert (row["prompt_perplexity"], row["rating"]) == (20.0, 4.0)
    assert (report["counts"]["written"], report["counts"]["feedback"], report["trouble"]) == (1, 1, "")


def test_personal_data_is_removed_before_writing(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    write(tmp_path, line("request", request_of(0, time=time.time(), prompt="Write to anna@example.org\n")))
    assert read(tmp_path)["prompt"].to_pylist() == ["Write to <EMAIL_ADDRESS>\n"]


def test_invalid_lines_are_counted_and_skipped(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    wrong = (b"not JSON", b"[]", b'{"kind": "poem", "row": {}}', b'{"kind": "request", "row": {"prompt": 7, "completions": []}}')
    report = write(tmp_path, *wrong, line("request", request_of(0, time=time.time())))
    assert report["counts"]["invalid"] == len(wrong)
    assert read(tmp_path)["completion_id"].to_pylist() == ["c0"]


def test_a_score_without_its_request_is_late(tmp_path: Path) -> None:
    report = write(tmp_path, b'{"kind": "patch", "completion_id": "c9", "fields": {}}')
    assert report["counts"]["score_late"] == 1
