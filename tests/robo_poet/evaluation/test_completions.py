import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robo_poet.errors import BadInput
from robo_poet.evaluation.completions import SCHEMA, Continuation, read_continuations, read_decoding, write_continuations


def test_a_written_table_is_read_back(tmp_path):
    rows = [
        Continuation("d", "w", "en", "To be", " or not", " or what", "length", [5, 6], [5, 9]),
        Continuation("d", "w", "", "", "", "", "end", [], []),
    ]
    write_continuations(tmp_path / "c.parquet", rows, {"temperature": 0.8, "top_k": 50})
    assert read_continuations(tmp_path / "c.parquet") == rows
    assert read_decoding(tmp_path / "c.parquet") == {"temperature": 0.8, "top_k": 50.0}


def test_another_file_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="not a table of continuations"):
        read_continuations(tmp_path / "none")


def test_a_table_that_does_not_say_how_it_was_drawn_is_not_continued_by_guess(tmp_path):
    pq.write_table(pa.Table.from_pylist([], SCHEMA), tmp_path / "c.parquet")
    assert read_continuations(tmp_path / "c.parquet") == []
    with pytest.raises(BadInput, match="sampling settings are missing"):
        read_decoding(tmp_path / "c.parquet")
