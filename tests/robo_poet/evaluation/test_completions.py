import pytest

from robo_poet.errors import BadInput
from robo_poet.evaluation.completions import Continuation, read_continuations, write_continuations


def test_what_is_written_is_read(tmp_path):
    rows = [
        Continuation("d", "w", "en", "To be", " or not", " or what", "length", [5, 6], [5, 9]),
        Continuation("d", "w", "", "", "", "", "end", [], []),
    ]
    write_continuations(tmp_path / "c.parquet", rows)
    assert read_continuations(tmp_path / "c.parquet") == rows


def test_another_file_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="no table of continuations"):
        read_continuations(tmp_path / "none")
