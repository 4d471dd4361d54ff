import math
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.document import Document
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.evaluation.likelihood import (
    BLOCK_BYTES,
    SCHEMA,
    Block,
    DocumentLikelihood,
    block_count,
    document_likelihood,
    length,
    likelihood_metrics,
    period,
    perplexity,
    read_likelihoods,
    unit_rows,
    write_likelihoods,
)
from robo_poet.judges.metrics import METRICS


def document(text: str, date: str = "1790-01-08") -> Document:
    return Document("d1", "w1", text, "test", author="Ann", source="own", genre="verse", language="en", date=date)


def test_a_written_table_is_read_back_and_the_same_rows_give_the_same_file(tmp_path):
    rows = [document_likelihood(document("é" * n), tokens=n, first=1, among_five=2, nats=0.5 * n, unigram_nats=float(n)) for n in (1, 700)]
    write_likelihoods(tmp_path / "a.parquet", rows)
    write_likelihoods(tmp_path / "b.parquet", iter(rows))
    assert read_likelihoods(tmp_path / "a.parquet") == rows
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
    with pytest.raises(BadInput, match="not a table of document likelihoods"):
        read_likelihoods(tmp_path / "x")


def row(work: str, size: int, tokens: int, nats: float) -> DocumentLikelihood:
    return DocumentLikelihood(f"{work}{size}", work, "", "", "", "", "", "", size, tokens, tokens // 2, tokens, nats, 2 * nats)


rows = st.lists(
    st.builds(row, st.sampled_from([f"w{n}" for n in range(14)]), st.integers(1, 5000), st.integers(2, 900), st.floats(0.5, 5000)),
    min_size=1,
    max_size=40,
)


@given(rows)
def test_each_metric_is_a_ratio_of_sums_over_all_documents_inside_its_interval(found: list[DocumentLikelihood]) -> None:
    metrics = likelihood_metrics(found, seed=1)
    nats, tokens, size = (sum(getattr(one, name) for one in found) for name in ("nats", "tokens", "bytes"))
    expected = {
        "perplexity": perplexity(nats / tokens), "bits_per_byte": nats / math.log(2) / size, "token_accuracy": sum(one.first for one in found) / tokens,
        "top5_accuracy": 1.0, "unigram_bits_per_byte": 2 * nats / math.log(2) / size, "unigram_perplexity": perplexity(2 * nats / tokens),
        "bits_saved_over_unigram": 0.5,
    }  # fmt: skip
    assert {name: one.value for name, one in metrics.items()} == pytest.approx(expected)
    assert all(one.low <= one.value <= one.high for one in metrics.values() if math.isfinite(one.value))
    for name, one in metrics.items():
        if math.isfinite(one.high):
            assert METRICS[name].least <= one.low and one.high <= METRICS[name].most


@pytest.mark.parametrize(("nats", "expected"), [(0.0, 1.0), (math.log(50), 50.0), (1e6, math.inf), (-math.inf, 0.0), (math.inf, math.inf)])
def test_perplexity_is_the_exponential_and_never_an_error(nats: float, expected: float) -> None:
    assert perplexity(nats) == pytest.approx(expected)


def divided(name: str, work: str, blocks: int, nats: float = 900.0) -> DocumentLikelihood:
    parts = tuple(Block(2000, 500, 100 + 7 * n, 250, nats + 31 * n * n % 90, 1800.0) for n in range(blocks))
    total = {
        field: sum(getattr(part, field) for part in parts) for field in ("bytes", "tokens", "first", "among_five", "nats", "unigram_nats")
    }
    return DocumentLikelihood(name, work, "", "", "", "", "", "", **total, blocks=parts)  # type: ignore[arg-type]


def test_blocks_are_written_and_read_and_a_table_of_an_older_release_has_none(tmp_path):
    rows = [divided("a", "w", 3), divided("b", "w", 1)]
    write_likelihoods(tmp_path / "new", rows)
    assert read_likelihoods(tmp_path / "new") == rows
    pq.write_table(pq.read_table(tmp_path / "new", schema=SCHEMA).drop_columns(["blocks"]), tmp_path / "old")
    assert read_likelihoods(tmp_path / "old") == [replace(row, blocks=()) for row in rows]


@pytest.mark.parametrize(("size", "count"), [(1, 1), (2999, 1), (3001, 2), (10 * BLOCK_BYTES, 10)])
def test_a_document_has_a_block_for_every_2_kb(size: int, count: int) -> None:
    assert block_count(size) == count


def test_two_works_of_one_document_each_have_an_interval_over_their_blocks() -> None:
    rows = [divided("a", "w", 12), divided("b", "v", 8)]
    units, (parts,) = unit_rows(rows)
    assert (units.name, len(parts), units.works, units.scope) == ("block", 20, 2, " within 2 documents")
    metrics = likelihood_metrics(rows, seed=1)
    whole = likelihood_metrics([replace(row, blocks=()) for row in rows], seed=1)
    for name, estimate in metrics.items():
        assert estimate.value == pytest.approx(whole[name].value)  # the value does not depend on the units
        assert whole[name].high == math.inf and METRICS[name].least <= estimate.low <= estimate.high <= METRICS[name].most
        assert (estimate.unit, estimate.units) == ("block", 20)


def test_tables_of_two_models_are_divided_alike_or_not_at_all() -> None:
    rows = [divided("a", "w", 12), divided("b", "v", 8)]
    units, (ours, theirs) = unit_rows(rows, [replace(row, nats=1.0) for row in rows])
    assert units.name == "block" and len(ours) == len(theirs) == 20
    units, (ours, theirs) = unit_rows(rows, [replace(row, blocks=()) for row in rows])
    assert units.name == "document" and (ours, theirs[0].nats) == (rows, rows[0].nats)


def test_enough_documents_or_works_are_not_divided() -> None:
    assert unit_rows([divided(f"d{n}", "w", 4) for n in range(6)])[0].name == "document"
    assert unit_rows([divided(f"d{n}", f"w{n}", 4) for n in range(10)])[0].name == "work"
    assert unit_rows([divided("large", "w", 90), *(divided(f"d{n}", "w", 1) for n in range(5))])[0].name == "block"
