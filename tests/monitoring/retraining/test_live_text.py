"""The live text of a run, from a request log that the real writer wrote."""

from dataclasses import asdict
from pathlib import Path

import pytest

from monitoring.retraining.live_text import LEAST_USERS, UsedLiveText, remove_live_text, write_for_run
from robo_poet.request_log.record import Request
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings

NOON = 1_772_366_400.0  # 2026-03-01 12:00 UTC
KEYS = frozenset({"k1"})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A request log: one prompt each of five users who consent, and of one who does not."""
    writer = Writer(tmp_path / "requests", RequestLogSettings())
    for n in range(LEAST_USERS + 1):
        consent = "k1" if n < LEAST_USERS else ""
        prompt = f"the long night of secret-{n}"
        writer.add("request", asdict(Request(
            f"c{n}", f"r{n}", NOON + n, f"u{n}", "poems", 3, "d" * 64, "champion", prompt, ["falls"], client="key", consent=consent,
        )))  # fmt: skip
    writer.close()
    return tmp_path / "requests"


def used(log: Path, days: float = 14, now: float = NOON + 60) -> UsedLiveText:
    return write_for_run(log.parent / "retraining" / "poems", log, "poems", lambda: KEYS, now, days)


def test_a_run_gets_the_prompts_with_consent_of_the_last_days(log: Path) -> None:
    live = used(log)
    assert live.file and live.note.startswith("used: 5 prompts of 5 users of the last 14 days, SHA-256 ") and live.file.is_absolute()
    text = live.file.read_text()
    assert all(f"secret-{n}" in text for n in range(LEAST_USERS)) and f"secret-{LEAST_USERS}" not in text and "falls" not in text
    assert used(log) == live and used(log, now=NOON + 5) == live


def test_a_run_goes_on_without_live_text_and_says_why(log: Path) -> None:
    assert used(log, now=NOON + 3) == (None, "not used: 3 prompts of 3 users, and 5 users are needed")
    assert used(log, now=NOON + 86_400, days=0.5) == (None, "not used: 0 prompts of 0 users, and 5 users are needed")
    missing = used(log.parent / "other")
    assert missing.file is None and missing.note.startswith("not used: ") and "no such folder" in missing.note


def test_a_later_run_and_a_deletion_remove_the_file(log: Path) -> None:
    first = used(log).file
    assert first
    used(log, now=NOON + 3)
    assert not first.exists()
    second = used(log).file
    assert second and remove_live_text(log.parent / "retraining") == 1 and not second.exists()
    assert remove_live_text(log.parent / "retraining") == 0 == remove_live_text(log.parent / "nothing")
