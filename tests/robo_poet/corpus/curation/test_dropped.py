from pathlib import Path

import pyarrow.parquet as pq
import pytest

from robo_poet.corpus.curation import dropped as module
from robo_poet.corpus.curation.dropped import (
    DELETED,
    EXACT,
    LANGUAGE,
    NEAR,
    REASONS,
    Dropped,
    Drops,
    count_reasons,
    is_dropped,
    read_dropped,
    write_dropped,
)  # fmt: skip
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.errors import BadInput

ROWS = [
    Dropped("a", NEAR, "w", "A title", "An author", "user", "b", 0.93),
    Dropped("c", EXACT, duplicate_of="b"),
    Dropped("d", LANGUAGE, language="fr"),
    Dropped("", DELETED),
]


@pytest.mark.parametrize("row_group", [2, 8192])
def test_rows_are_read_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row_group: int) -> None:
    monkeypatch.setattr(module, "ROW_GROUP", row_group)
    write_dropped(tmp_path / "dropped", ROWS)
    assert list(read_dropped(tmp_path / "dropped")) == ROWS
    assert count_reasons(tmp_path / "dropped") == {"exact_duplicate": 1, "near_duplicate": 1, "language": 1, "deleted_on_request": 1}
    assert "text" not in pq.read_schema(tmp_path / "dropped").names


def test_an_empty_table(tmp_path: Path) -> None:
    write_dropped(tmp_path / "dropped", [])
    assert is_dropped(tmp_path / "dropped") and list(read_dropped(tmp_path / "dropped")) == []


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def rows() -> object:
        yield ROWS[0]
        raise OSError

    with pytest.raises(OSError):
        write_dropped(tmp_path / "dropped", rows())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    write_documents(tmp_path / "corpus", [Document(id="a", group="a", text="x", split="train").with_text("x")])
    for name in ("text", "corpus"):
        assert not is_dropped(tmp_path / name)
        with pytest.raises(BadInput, match="not a table of dropped documents"):
            count_reasons(tmp_path / name)
        with pytest.raises(BadInput, match="not a table of dropped documents"):
            list(read_dropped(tmp_path / name))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (ROWS[0], "near-duplicate of b (similarity 0.93)"),
        (ROWS[1], "exact duplicate of b"),
        (ROWS[2], "another language: fr"),
        (Dropped("x", "few_words", value=3.0), "too few words: 3"),
        (Dropped("x", "damaged", value=0.25), "too large a share of damaged characters: 0.25"),
        (Dropped("x", "of a later release"), "of a later release"),
    ],
)
def test_the_reason_in_words(row: Dropped, why: str) -> None:
    assert row.why == why


def test_reasons_by_index() -> None:
    drops = Drops()
    for _ in range(4):
        drops.add()
    drops.drop(1, NEAR, of=(0, "first"), value=0.8)
    drops.drop(3, LANGUAGE, language="fr")
    assert [drops.keeps(index) for index in range(4)] == [True, False, True, False]
    assert drops.counts() == {NEAR: 1, LANGUAGE: 1}
    assert drops.row(1, id="b", group="g", title="", author="", source="s") == Dropped(
        "b", NEAR, "g", source="s", duplicate_of="first", value=0.8
    )
    assert drops.row(3, id="d", group="g", title="", author="", source="s").why == "another language: fr"
    assert len(REASONS) < 255, "a reason is one byte"
