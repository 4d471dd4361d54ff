"""The snapshot of a window."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.drift.snapshot import read_snapshot, write_snapshot
from robo_poet.errors import BadInput
from robo_poet.judges.drift.observations import UserScore, Window

NUMBERS = st.floats(0, 1000)
USERS = st.builds(
    UserScore,
    NUMBERS,
    st.integers(1, 10_000),
    NUMBERS,
    st.floats(0, 1),
    st.fixed_dictionaries(
        {"language": st.sampled_from(["en", "zh", "unknown"])}, optional={"client": st.sampled_from(["key", "application"])}
    ),
)
WINDOWS = st.builds(Window, st.just(86_400.0), st.just(172_800.0), st.lists(USERS, max_size=8), st.floats(0, 1))


@given(WINDOWS)
def test_a_window_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, window: Window) -> None:
    path = tmp_path_factory.getbasetemp() / "window.parquet"
    digest = write_snapshot(path, window)
    assert read_snapshot(path, digest) == window and write_snapshot(path, window) == digest


def test_a_snapshot_without_clients_is_read(tmp_path: Path) -> None:
    """An older release wrote it."""
    window = Window(0.0, 1.0, [UserScore(4.0, 1, 8, 0.0, {"language": "en", "client": "key"})])
    write_snapshot(tmp_path / "new.parquet", window)
    pq.write_table(pq.read_table(tmp_path / "new.parquet").drop_columns(["client"]), tmp_path / "old.parquet")
    assert read_snapshot(tmp_path / "old.parquet").users == [UserScore(4.0, 1, 8, 0.0, {"language": "en"})]


def test_a_changed_snapshot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "window.parquet"
    digest = write_snapshot(path, Window(0.0, 1.0, [UserScore(4.0, 1, 8)]))
    write_snapshot(path, Window(0.0, 1.0, [UserScore(4.1, 1, 8)]))
    with pytest.raises(BadInput, match="the snapshot was changed; remove it"):
        read_snapshot(path, digest)
    for content in (b"", b"PAR1 not a file"):
        path.write_bytes(content)
        with pytest.raises(BadInput, match="not a snapshot of a window"):
            read_snapshot(path)
    with pytest.raises(BadInput, match="not a snapshot of a window"):
        read_snapshot(tmp_path / "missing.parquet")
