import pytest

from robo_poet.corpus.document import Document
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.evaluation.documents import length, measured, period, read_measured, write_measured


def document(text: str, date: str = "1790-01-08") -> Document:
    return Document("d1", "w1", text, "test", author="Ann", source="own", genre="verse", language="en", date=date)


def test_what_is_written_is_read_and_the_same_rows_are_the_same_file(tmp_path):
    rows = [measured(document("é" * n), tokens=n, first=1, among_five=2, nats=0.5 * n, unigram_nats=float(n)) for n in (1, 700)]
    write_measured(tmp_path / "a.parquet", rows)
    write_measured(tmp_path / "b.parquet", iter(rows))
    assert read_measured(tmp_path / "a.parquet") == rows
    assert digest_path(tmp_path / "a.parquet") == digest_path(tmp_path / "b.parquet")
    assert [row.length for row in rows] == ["below 1 kB", "1 to 4 kB"], "bytes, not characters"


@pytest.mark.parametrize(("date", "century"), [("1790-01-08", "1700s"), ("2026", "2000s"), ("", ""), ("MDCC", "")])
def test_a_period_is_a_century(date, century):
    assert period(date) == century


@pytest.mark.parametrize(("size", "name"), [(0, "below 1 kB"), (999, "below 1 kB"), (1000, "1 to 4 kB"), (16_000, "16 kB and more")])
def test_classes_of_length_hold_their_lower_limit(size, name):
    assert length(size) == name


def test_another_file_is_refused_by_name(tmp_path):
    (tmp_path / "x").write_text("no table")
    with pytest.raises(BadInput, match="no table of measured documents"):
        read_measured(tmp_path / "x")
