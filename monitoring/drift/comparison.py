"""The comparison of a window with the first windows of its version by Evidently: a page for people, JSON for programs (MON-3).

It shows which columns have changed and how. It decides nothing: its verdicts depend on the number of rows (evidently #50), and none of its
methods is a rise by 20 %. The drift judge decides. Evidently needs rows, not statistics (#506), so both sides come from snapshots.
"""

import json
import math
import os
import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape as html_escape
from typing import Any

from monitoring.drift.history import History, Judged
from monitoring.drift.windows import Period
from robo_poet.errors import BadInput
from robo_poet.judges.drift.observations import Window
from robo_poet.judges.drift.rise import MOST_NATS

ROWS = 5_000  # users of a side, chosen at random; a page of 5,000 takes 1 s, and its size does not depend on them
NUMBERS = ("perplexity", "prompt_tokens", "prompts", "unusual_characters")
CATEGORIES = ("language", "prompt_length", "client")
COLUMNS = NUMBERS + CATEGORIES
FEWEST_USERS = 10  # of a side


@dataclass(frozen=True)
class Comparison:
    """The result.

    Attributes:
        html: a page that needs nothing from elsewhere, 4 MB.
        data: JSON object: window, version, users of both sides, columns with their drift, and the columns left out.
    """

    html: str
    data: dict[str, Any]


def compare_window(history: History, judged: Judged, first: int) -> Comparison:
    """Compare a judged window with the first windows of its version.

    Args:
        first: number of windows to compare with.

    Raises:
        BadInput: a side has too few users, or a snapshot was changed.
    """
    earlier = [row for row in history.judged(judged.digest) if row.row["users"]][:first]
    reference = [history.window(row) for row in earlier if row.start < judged.start]
    return compare_windows(judged, [history.window(judged)], reference)


def compare_windows(judged: Judged, current: Sequence[Window], reference: Sequence[Window]) -> Comparison:
    """Compare windows with earlier ones.

    Args:
        judged: the verdict on `current`, for the heading of the page.

    Raises:
        BadInput: a side has too few users, or all users have the same values.
    """
    for side, windows in (("the window has", current), ("the first windows of the version have", reference)):
        if (users := sum(len(window.users) for window in windows)) < FEWEST_USERS:
            remedy = "wait for more traffic, or name a later window with --window"
            raise BadInput(f"{side} {users} users, {FEWEST_USERS} needed", where=judged.row["window"], remedy=remedy)
    names = [str(Period.since(window.start, window.end - window.start)) for window in reference]
    sides = rows(current), rows(reference)
    kept, constant = _columns(sides)
    if not kept:
        raise BadInput("all users have the same values, so there is nothing to compare", where=judged.row["window"])
    html, drifts = _evidently(sides, kept)
    data = {
        "version": judged.version, "window": judged.row["window"], "users": len(sides[0]["perplexity"]),
        "reference_users": len(sides[1]["perplexity"]), "reference_windows": names,
        "columns": drifts, "constant_columns": constant,
    }  # fmt: skip
    return Comparison(html.replace("<body>", f"<body>{_heading(judged, data)}", 1), data)


def _heading(judged: Judged, data: dict[str, Any]) -> str:
    left_out = f" Columns with one value only are left out: {', '.join(data['constant_columns'])}." if data["constant_columns"] else ""
    lines = (
        f"Window {judged.row['window']} of version {judged.version}: {data['users']} users, compared with "
        f"{data['reference_users']} users of its first windows.{left_out}",
        f"Verdict of the drift judge: {judged.action.replace('_', ' ')}. {judged.reasons[0]}.",
        "Below, “data drift detected” means that the distance of a column is above 0.1. With few users, chance alone can do that.",
    )
    return '<div style="font: 16px sans-serif; margin: 1rem 2rem">' + "".join(f"<p>{html_escape(line)}</p>" for line in lines) + "</div>"


def rows(windows: Sequence[Window]) -> dict[str, list[Any]]:
    """Return column → values, one row for each user, at most `ROWS`."""
    users = [user for window in windows for user in window.users]
    if len(users) > ROWS:
        users = random.Random(0).sample(users, ROWS)
    return {
        "perplexity": [math.exp(min(user.nats, MOST_NATS)) for user in users],
        "prompt_tokens": [user.tokens for user in users],
        "prompts": [float(user.prompts) for user in users],
        "unusual_characters": [user.broken for user in users],
        "language": [user.value("language") for user in users],
        "prompt_length": [user.value("length") for user in users],
        "client": [user.value("client") for user in users],
    }


def _columns(sides: Sequence[dict[str, list[Any]]]) -> tuple[list[str], list[str]]:
    """Return the columns with several values, and those with one value: these give NaN in a report (evidently #1929)."""
    constant = [name for name in COLUMNS if len({value for side in sides for value in side[name]}) == 1]
    return [name for name in COLUMNS if name not in constant], constant


def _evidently(sides: Sequence[dict[str, list[Any]]], columns: Sequence[str]) -> tuple[str, dict[str, Any]]:
    os.environ["DO_NOT_TRACK"] = "1"  # Evidently imports a library that reports its use
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports use deprecated names of litestar
        import pandas as pd
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift
        from evidently.presets import DataSummaryPreset

        definition = DataDefinition(
            numerical_columns=[name for name in columns if name in NUMBERS],
            categorical_columns=[name for name in columns if name in CATEGORIES],
        )
        current, reference = (
            Dataset.from_pandas(pd.DataFrame({name: side[name] for name in columns}), data_definition=definition) for side in sides
        )
        methods = {name: "wasserstein" if name in NUMBERS else "jensenshannon" for name in columns}
        report = Report([*(ValueDrift(column=name, method=method) for name, method in methods.items()), DataSummaryPreset()])
        result = report.run(current_data=current, reference_data=reference)
        measured = json.loads(result.json())["metrics"]
    drifts = {}
    for metric in measured:
        config = metric["config"]
        if config["type"].endswith(":ValueDrift"):
            name, value = config["column"], float(metric["value"])
            drifts[name] = {"method": methods[name], "distance": value if math.isfinite(value) else None}
    return result.get_html_str(as_iframe=False), drifts
