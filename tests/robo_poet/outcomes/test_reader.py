import os
import signal
import subprocess
import sys
from pathlib import Path

from robo_poet.outcomes.files import file_name, outcome_files
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.outcomes.record import arm_line, outcome_line, tally_line
from tests.robo_poet.outcomes.samples import CANARY, CHAMPION, handle, outcome, running_log, shares

NAME = file_name(1_800_000_000, "a" * 16)


def test_bytes_are_read_once_and_a_half_line_waits(tmp_path: Path) -> None:
    reader, path = OutcomeReader(tmp_path), tmp_path / NAME
    assert list(reader.read()) == [] and reader.alive_at is None
    line = outcome_line(1, 2, CANARY, outcome("u2"))
    path.write_bytes(arm_line(1, CANARY) + outcome_line(1, 1, CANARY, outcome("u1")) + line[:30])
    assert [fields["user"] for _, fields in reader.read()] == ["u1"]
    with path.open("ab") as opened:
        opened.write(line[30:])
    assert [(assigned, fields["user"]) for assigned, fields in reader.read()] == [(CANARY, "u2")]
    assert list(reader.read()) == [] and reader.latest == 1_800_000_000


def test_gaps_and_a_missing_end_are_losses_of_their_arm(tmp_path: Path) -> None:
    lines = [arm_line(1, CANARY), arm_line(2, CHAMPION), *(outcome_line(1, seq, CANARY, outcome(), 1) for seq in (1, 2, 4))]
    lines += [outcome_line(2, 1, CHAMPION, outcome()), tally_line("heartbeat", 1.0, {1: (5, 0), 2: (1, 3)})]
    lines += [outcome_line(2, 2, CHAMPION, outcome(), 2)]  # one of the three requests in progress; then the process died
    (tmp_path / NAME).write_bytes(b"".join(lines))
    assert shares(OutcomeReader(tmp_path)) == {"canary": 2 / 5, "champion": 2 / 4}


def test_damaged_lines_count_as_lost_and_hide_no_others(tmp_path: Path) -> None:
    good = [outcome_line(1, seq, CANARY, outcome()) for seq in range(1, 6)]
    torn = [b"\x00\xff\n", b'{"kind":"outcome","n":9,"seq":1}\n', b"[]\n", b'{"kind":"heartbeat","arms":3}\n', b"\n"]
    (tmp_path / NAME).write_bytes(arm_line(1, CANARY) + good[0] + good[1][:40] + b"\n" + good[2] + b"".join(torn) + good[3] + good[4])
    reader = OutcomeReader(tmp_path)
    assert shares(reader) == {"canary": 1 / 5} and reader.damaged == 6


def test_losses_are_those_of_one_experiment_and_step(tmp_path: Path) -> None:
    with running_log(tmp_path) as log:
        handle(log, CANARY, outcome())
    reader = OutcomeReader(tmp_path)
    list(reader.read())
    assert reader.losses("d:7", 0)["canary"].issued == 1 and reader.losses("d:7", 1) == {} == reader.losses("d:8")


def test_files_before_the_start_are_not_read_and_links_never(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(arm_line(1, CANARY) + outcome_line(1, 1, CANARY, outcome()))
    assert list(OutcomeReader(tmp_path, since=1_800_000_000 + 7200).read()) == []
    assert len(list(OutcomeReader(tmp_path, since=1_800_000_000).read())) == 1


WRITER = """
import sys, time
from pathlib import Path
from tests.robo_poet.outcomes.samples import CANARY, outcome
from robo_poet.outcomes.log import OutcomeLog
log = OutcomeLog(Path(sys.argv[1]))
for number in range(10**6):
    log.begin(CANARY); log.end(CANARY, outcome(str(number)))
    print(number, flush=True)
    if number % 20 == 19: log.begin(CANARY)
    time.sleep(0.001)
"""


def test_after_a_kill_the_outcomes_are_there_and_those_in_progress_are_missed(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": root}
    ) as process:
        assert process.stdout
        acknowledged = [int(process.stdout.readline()) for _ in range(1500)]
        process.send_signal(signal.SIGKILL)
        process.wait()
    reader = OutcomeReader(tmp_path)
    users = {int(fields["user"]) for _, fields in reader.read()}
    assert users >= set(acknowledged[:-400]) and users == set(range(len(users)))  # 400: 0.2 s and more on a busy machine
    assert len(outcome_files(tmp_path)) == 1
    loss = reader.losses("d:7")["canary"]
    assert loss.issued - loss.lost == len(users) and len(users) // 20 - 1 <= loss.lost <= 100
