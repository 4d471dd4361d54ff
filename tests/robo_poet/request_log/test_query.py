from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.request_log import query as module
from robo_poet.request_log.layout import FEEDBACK, JOINED, REQUESTS, table
from robo_poet.request_log.query import LatestFeedback, read, read_columns, read_parts
from robo_poet.request_log.record import Feedback, Request
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def write_log(folder: Path, requests: list[Request], feedback: list[Feedback] = []) -> Writer:  # noqa: B006
    log = Writer(folder, RequestLogSettings())
    for one in requests:
        assert log.add("request", asdict(one))
    for said in feedback:
        assert log.add("feedback", asdict(said))
    return log


def test_an_empty_log_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path).schema == JOINED
    assert read(tmp_path).num_rows == 0


def test_since_is_inclusive_and_until_exclusive(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    write_log(tmp_path, [request_of(k, time=(NOON + timedelta(hours=6 * k)).timestamp()) for k in range(8)]).close()

    def numbers(since: datetime, until: datetime) -> list[str]:
        return sorted(read(tmp_path, since, until)["completion_id"].to_pylist())

    assert numbers(NOON, NOON + timedelta(hours=18)) == ["c0", "c1", "c2"]
    assert numbers(NOON + timedelta(seconds=1), NOON + timedelta(hours=18, seconds=1)) == ["c1", "c2", "c3"]
    elsewhere = (NOON + timedelta(hours=12)).astimezone(datetime.strptime("-1100", "%z").tzinfo)
    assert numbers(elsewhere, elsewhere + timedelta(seconds=1)) == ["c2"]
    assert len(list(read_parts(tmp_path))) == 3


def test_columns_are_read_from_parts_and_spools_day_by_day(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    write_log(tmp_path, [request_of(k, time=(NOON + timedelta(hours=9 * k)).timestamp(), client="key") for k in range(5)]).close()
    log = write_log(tmp_path, [request_of(9, time=NOON.timestamp())])  # still a spool
    [path] = (tmp_path / "date=2026-03-02").glob("part-*.parquet")
    pq.write_table(pq.read_table(path).drop_columns(["client"]), path)  # an older writer wrote it
    parts = list(read_columns(tmp_path, ["client", "completion_id"], NOON, NOON + timedelta(hours=36)))
    log.close()
    assert {tuple(part.column_names) for part in parts} == {("client", "completion_id")}
    rows = [[(row["completion_id"], row["client"]) for row in part.to_pylist()] for part in parts]
    assert sorted(rows[:2]) == [[("c0", "key"), ("c1", "key")], [("c9", "")]] and rows[2:] == [[("c2", None), ("c3", None)]]
    with pytest.raises(BadInput, match="until: the time has no time zone"):
        list(read_columns(tmp_path, ["client"], NOON, datetime(2026, 3, 2)))


def test_a_time_without_a_time_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="since: the time has no time zone"):
        read(tmp_path, datetime(2026, 3, 1))


def test_the_last_rating_counts_also_from_a_later_day(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    at = NOON.timestamp()
    said = [
        Feedback("c0", at + 200_000, "anna", rating=5), Feedback("c0", at + 5, "anna", rating=1), Feedback("c0", at + 6, "anna", thumb="down"),
        Feedback("c0", at + 6, "ben", rating=2), Feedback("c0", at + 7, "ben", thumb="up"), Feedback("c9", at, "ben", rating=1),
    ]  # fmt: skip
    log = write_log(tmp_path, [request_of(0), request_of(1)], said)
    for _ in range(2):
        first, second = read(tmp_path, NOON, NOON + timedelta(hours=1)).sort_by("completion_id").to_pylist()
        assert (first["rating"], first["thumbs_up"], first["thumbs_down"]) == (3.5, 1, 1)
        assert (second["rating"], second["thumbs_up"], second["thumbs_down"]) == (None, 0, 0)
        log.close()


SAID = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 50), st.none() | st.integers(1, 5))


@given(st.lists(SAID, max_size=30, unique_by=lambda one: one[2]), st.randoms())
def test_the_last_feedback_counts_in_any_order(said: list[tuple[str, str, int, int | None]], dice: object) -> None:
    rows = [{"completion_id": c, "user": u, "time": float(t), "rating": r, "thumb": None} for c, u, t, r in said]
    dice.shuffle(rows)  # type: ignore[attr-defined]
    opinions = LatestFeedback()
    for k in range(0, len(rows), 7):
        opinions.add(table(rows[k : k + 7], FEEDBACK))
    joined = opinions.join(table([{"completion_id": c, "time": 0.0} for c in "ab"], REQUESTS)).to_pylist()
    for row in joined:
        last = {u: r for c, u, _, r in sorted(said, key=lambda one: one[2]) if c == row["completion_id"] and r is not None}
        assert row["rating"] == (pytest.approx(sum(last.values()) / len(last)) if last else None)


def test_parts_of_another_release_are_read(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    write_log(tmp_path, [request_of(0)]).close()
    [part] = tmp_path.rglob("part-*.parquet")
    old = pq.ParquetFile(part).read()
    pq.write_table(old.drop_columns(["arm"]).append_column("gone", pa.array([1])), part)
    [row] = read(tmp_path).to_pylist()
    assert row["arm"] is None
    assert row["completion_id"] == "c0"
    assert "gone" not in row


def test_the_message_names_a_damaged_part(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    write_log(tmp_path, [request_of(0)]).close()
    [part] = tmp_path.rglob("part-*.parquet")
    part.write_bytes(b"PAR1 no")
    with pytest.raises(BadInput, match=f"{part.name}: cannot be read"):
        read(tmp_path)


def test_a_spool_that_becomes_a_part_while_it_is_read(
    tmp_path: Path, request_of: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_log(tmp_path, [request_of(0)])
    before = module.read_spool

    def closing(path: Path) -> object:
        log.close()
        return before(path)

    monkeypatch.setattr(module, "read_spool", closing)
    assert read(tmp_path)["completion_id"].to_pylist() == ["c0"]
