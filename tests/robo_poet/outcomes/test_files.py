import os
from pathlib import Path

from robo_poet.outcomes.files import count_of_user, file_name, forget, old_files, outcome_files, remove_old
from robo_poet.outcomes.log import OutcomeLog
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.outcomes.record import Rating
from tests.robo_poet.outcomes.samples import CANARY, handle, outcome, running_log, shares
from tests.robo_poet.outcomes.test_log import wait_until


def test_a_user_is_forgotten_while_the_process_writes_and_does_not_count_as_lost(tmp_path: Path) -> None:
    with running_log(tmp_path / "poems") as log:
        handle(log, CANARY, outcome("ada"), outcome("bob"), outcome("ada"))
        log.note(CANARY, Rating(1.0, "ada", "c", 1.0))
        assert wait_until(lambda: log.counts["written"] == 3) and count_of_user(tmp_path, "ada") == 3
        [file] = outcome_files(tmp_path / "poems")
        os.utime(file.path, (1.0, 1.0))
        assert (forget(tmp_path, "ada"), forget(tmp_path, "ada")) == (3, 0)
        assert file.path.stat().st_mtime == 1.0  # no sign of life of the gateway
        handle(log, CANARY, outcome("eve"))
    [file] = outcome_files(tmp_path / "poems")
    assert b"ada" not in file.path.read_bytes() and count_of_user(tmp_path, "ada") == 0
    reader = OutcomeReader(tmp_path / "poems")
    assert [fields["user"] for _, fields in reader.read()] == ["bob", "eve"]
    assert shares(reader) == {"canary": 0.0} and reader.damaged == 0


def test_a_missing_folder_has_no_files(tmp_path: Path) -> None:
    assert outcome_files(tmp_path / "none") == [] and forget(tmp_path / "none", "ada") == 0


def test_files_are_old_by_the_hour_of_their_name_and_others_are_kept(tmp_path: Path) -> None:
    now = 1_800_000_000.0
    for age in (0, 1.9, 2.1, 40):
        (tmp_path / file_name(now - age * 86_400, "b" * 16)).touch()
    (tmp_path / "notes.jsonl").touch()
    assert len(old_files(tmp_path, now, 2)) == remove_old(tmp_path, now, 2) == 2
    assert len(list(tmp_path.iterdir())) == 3


def test_closing_twice_is_no_error(tmp_path: Path) -> None:
    log = OutcomeLog(tmp_path)
    log.close()
    log.close()
    assert not log.end(CANARY, outcome())
