"""The journal and the receipts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from robo_poet.deletion.records import (
    JOURNAL,
    Journal,
    check_no_interrupted_deletion,
    finish,
    new_receipt_name,
    only_deletion,
    read_journal,
    read_receipts,
    receipts_of,
    write_journal,
)
from robo_poet.errors import BadInput

NAME = new_receipt_name(datetime(2026, 3, 1, 18, 30, tzinfo=UTC))
WORK = Journal(NAME, ("text:1",), (("run", "/runs/a"),), "", ("c1",), (), {"selection": ["subject:2"], "documents": ["text:1"]})


def test_from_journal_to_receipt(tmp_path: Path) -> None:
    assert NAME.startswith("20260301T183000Z-") and read_journal(tmp_path) is None
    check_no_interrupted_deletion(tmp_path, "wait")
    write_journal(tmp_path, WORK)
    assert read_journal(tmp_path) == WORK
    assert (tmp_path / JOURNAL).stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput, match="a deletion was interrupted; wait"):
        check_no_interrupted_deletion(tmp_path, "wait")
    for _ in range(2):  # a killed process does it again
        path = finish(tmp_path, WORK)
    assert read_journal(tmp_path) is None and path.stat().st_mode & 0o777 == 0o600
    assert list(read_receipts(tmp_path)) == [NAME]
    assert list(receipts_of(tmp_path, ["subject:2"])) == list(receipts_of(tmp_path, ["text:1", "x"])) == [NAME]
    assert receipts_of(tmp_path, ["subject:3"]) == {}


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"form": 1}', '{"form": 1, "digests": 7}'])
def test_a_damaged_journal(tmp_path: Path, content: str) -> None:
    (tmp_path / JOURNAL).write_text(content)
    with pytest.raises(BadInput):
        read_journal(tmp_path)


def test_a_receipt_is_written_only_below_its_folder(tmp_path: Path) -> None:
    write_journal(tmp_path, Journal("../../evil.json", (), (), "", (), ()))
    with pytest.raises(BadInput, match="the journal is damaged"):
        read_journal(tmp_path)


def test_one_deletion_at_a_time(tmp_path: Path) -> None:
    with only_deletion(tmp_path), pytest.raises(BadInput, match="another deletion is running"), only_deletion(tmp_path):
        pass
