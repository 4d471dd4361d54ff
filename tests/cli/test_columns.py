import pytest

from cli.columns import Column, fitting, print_fitting, shortened

COLUMNS = (Column("run"), Column("corpus", most=10, drop=2), Column("seconds", drop=5, right=True), Column("why", most=40))
ROWS = [["abcd", "a very long name of a corpus", "12", "because it was measured with too little text, and so on"], ["efgh", "", "", "[x]"]]


def test_long_texts_end_with_dots() -> None:
    assert [shortened("poems", most) for most in (6, 5, 4)] == ["poems", "poems", "poe…"]


@pytest.mark.parametrize(("width", "kept"), [(43, [0, 1, 2, 3]), (42, [0, 1, 3]), (34, [0, 1, 3]), (33, [0, 3]), (5, [0, 3])])
def test_the_least_important_columns_are_left_out_first(width: int, kept: list[int]) -> None:
    assert fitting(COLUMNS, ROWS, width) == kept


@pytest.mark.parametrize("width", [36, 60])
def test_a_table_fits_and_says_what_is_missing(width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_fitting(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, (line for line in lines if "not shown" not in line))) <= width
    assert ("not shown in 36 columns: seconds; --json has all" in lines) == (width == 36)
    assert any("a very lo…" in line for line in lines) and any("[x]" in line for line in lines)


def test_a_file_gets_whole_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    print_fitting(COLUMNS, ROWS)
    assert len(capsys.readouterr().out.splitlines()) == 3
