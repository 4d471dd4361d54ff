import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.document import Document
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.evaluation.likelihood import (
    DocumentLikelihood,
    document_likelihood,
    length,
    likelihood_metrics,
    period,
    perplexity,
    read_likelihoods,
    write_likelihoods,
)


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


@pytest.mark.parametrize(("nats", "expected"), [(0.0, 1.0), (math.log(50), 50.0), (1e6, math.inf), (-math.inf, 0.0), (math.inf, math.inf)])
def test_perplexity_is_the_exponential_and_never_an_error(nats: float, expected: float) -> None:
    assert perplexity(nats) == pytest.approx(expected)
