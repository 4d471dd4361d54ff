import pytest

from robo_poet.judges.scrub_recall import Count, interval_text, missed, per_cent, recall_sentence


def count(units: dict[int, list[int]], findings: int = 0, right: int = 0) -> Count:
    result = Count(findings=findings, right=right)
    result.units.update(units)
    return result


def test_shares_and_f2() -> None:
    row = count({number: [3, 4] if number else [4, 4] for number in range(20)}, findings=100, right=90).as_json()
    assert (row["planted"], row["covered"], row["recall"], row["precision"]) == (80, 61, 0.7625, 0.9)
    assert row["low"] < 0.7625 < row["high"]
    assert row["f2"] == pytest.approx(5 * 0.9 * 0.7625 / (4 * 0.9 + 0.7625))


def test_few_copies_have_no_interval_and_nothing_planted_has_no_recall() -> None:
    row = count({0: [1, 2]}).as_json()
    assert (row["recall"], row["low"], row["high"], row["precision"], row["f2"]) == (0.5, None, None, None, None)
    assert count({}).as_json()["recall"] is None


def test_the_copies_are_the_units_of_the_interval() -> None:
    spread = count({number: [2, 4] for number in range(30)}).as_json()
    clumped = count({number: [4 * (number % 2), 4] for number in range(30)}).as_json()
    assert clumped["high"] - clumped["low"] > 1.3 * (spread["high"] - spread["low"])


def test_words() -> None:
    row = count({number: [3, 4] for number in range(20)}).as_json()
    assert recall_sentence({"all": row}) == f"75.0 % of 80 planted values are removed (95 % interval {interval_text(row)})"
    assert per_cent(None) == "" and per_cent(0.5) == "50.0 %"
    rows = {"name": row, "e-mail": count({0: [2, 2]}).as_json(), "telephone": count({0: [0, 2]}).as_json()}
    assert list(missed({"kind": rows})) == ["telephone 2 of 2", "name 20 of 80"]
