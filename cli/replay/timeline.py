"""The time line of a replay as one SVG: traffic split, perplexity with bounds, versions, alerts and training runs."""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import matplotlib
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

matplotlib.use("svg")

INK = "#6b7280"  # readable on a light and on a dark page
COLOURS = {1: "#64748b", 2: "#2563eb", 3: "#dc2626", 4: "#059669"}
OTHER, LIMIT, ALERT, RUN = "#7c3aed", "#d97706", "#dc2626", "#0891b2"
NARROW = 0.8  # minutes; a shorter bar has no room for its label
GAP_SECONDS = 6.0  # between two values of an alert that belong to two alerts
STAGES = {"canary": ("canary", 0.35), "champion": ("champion", 0.9)}


def timeline(record: Mapping[str, Any]) -> str:
    """Return the SVG of a record (`cli.replay.record`)."""
    style = {"svg.hashsalt": "robo-poet", "svg.fonttype": "none", "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK,
             "xtick.color": INK, "ytick.color": INK, "font.size": 9}  # fmt: skip
    with plt.rc_context(style):
        figure, (traffic, perplexity, versions, alerts) = plt.subplots(
            4, 1, figsize=(11, 8.6), sharex=True, layout="constrained", height_ratios=(2.2, 2.6, 1.4, 1.4)
        )
        _traffic(traffic, record)
        _perplexity(perplexity, record)
        _versions(versions, record)
        _alerts(alerts, record)
        for axes in (traffic, perplexity, versions, alerts):
            axes.spines[["top", "right"]].set_visible(False)
            _acts(axes, record)
        for number, act in enumerate(record["acts"], start=1):
            if act["began"]:
                middle = (_minutes(record, act["began"]) + _minutes(record, act["ended"] or record["ended"])) / 2
                traffic.annotate(f"act {number}", (middle, 1.04), xycoords=("data", "axes fraction"), ha="center", color=INK)
        alerts.set_xlabel("minutes since the start")
        alerts.set_xlim(0, _minutes(record, record["ended"]))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        plt.close(figure)
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def _minutes(record: Mapping[str, Any], seconds: float) -> float:
    return float(seconds - record["began"]) / 60


def _colour(version: int) -> str:
    return COLOURS.get(version, OTHER)


def _acts(axes: Axes, record: Mapping[str, Any]) -> None:
    for number, act in enumerate(record["acts"]):
        if act["began"] and number % 2:
            axes.axvspan(_minutes(record, act["began"]), _minutes(record, act["ended"] or record["ended"]), color=INK, alpha=0.08, lw=0)


def _traffic(axes: Axes, record: Mapping[str, Any]) -> None:
    """Draw the share of each version in the answered requests."""
    series = {int(version): dict(map(tuple, values)) for version, values in record["traffic"].items()}
    times = sorted({at for values in series.values() for at in values})
    totals = [sum(values.get(at, 0.0) for values in series.values()) for at in times]
    known = [(at, total) for at, total in zip(times, totals, strict=True) if total > 0]
    axes.set_ylabel("traffic")
    axes.set_ylim(0, 100)
    axes.yaxis.set_major_formatter("{x:.0f} %")
    if not known:
        return
    numbers = sorted(series)
    shares = [[100 * series[number].get(at, 0.0) / total for at, total in known] for number in numbers]
    axes.stackplot(
        [_minutes(record, at) for at, _ in known], shares, colors=[_colour(number) for number in numbers], alpha=0.75, linewidth=0,
        labels=[f"version {number}" for number in numbers],
    )  # fmt: skip
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def _perplexity(axes: Axes, record: Mapping[str, Any]) -> None:
    """Draw the live perplexity of each judged window with its bounds, and the limit of each version's baseline."""
    axes.set_ylabel("live perplexity")
    labels = set[str]()

    def once(label: str) -> str | None:
        if label in labels:
            return None
        labels.add(label)
        return label

    for version in sorted({window["version"] for window in record["windows"]}):
        windows = [window for window in record["windows"] if window["version"] == version and "perplexity" in window["row"]]
        times = [_minutes(record, window["end"]) for window in windows]
        axes.plot(times, [window["row"]["perplexity"] for window in windows], color=_colour(version), marker=".", lw=1.6)
        judged = [(time, window) for time, window in zip(times, windows, strict=True) if "rise" in window["row"]]
        if judged:
            base = [window["row"]["perplexity"] / (1 + window["row"]["rise"]) for _, window in judged]
            low, high = (
                [value * (1 + min(window["row"][side], 10.0)) for value, (_, window) in zip(base, judged, strict=True)]
                for side in ("low", "high")
            )
            at = [time for time, _ in judged]
            axes.fill_between(at, low, high, color=_colour(version), alpha=0.15, lw=0, label=once("bounds"))
            limit = [value * (1 + window["evidence"]["policy"]["rise"]) for value, (_, window) in zip(base, judged, strict=True)]
            axes.plot(at, limit, color=LIMIT, ls="--", lw=1.3, label=once("limit of the rise"))
    drifting = [window for window in record["windows"] if window["action"] == "drift"]
    if drifting:
        axes.plot(
            [_minutes(record, window["end"]) for window in drifting], [window["row"]["perplexity"] for window in drifting], "o",
            color=ALERT, ms=9, mfc="none", mew=1.8, label="drift",
        )  # fmt: skip
    axes.set_ylim(bottom=0)
    if labels or drifting:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def version_spans(decisions: Sequence[Mapping[str, Any]], end: float) -> list[tuple[int, str, float, float]]:
    """Return version, stage (a key of `STAGES`), start and end of each time as canary or champion."""
    spans, current = list[tuple[int, str, float, float]](), dict[str, tuple[int, float]]()

    def close(stage: str, at: float) -> None:
        if stage in current:
            version, since = current.pop(stage)
            spans.append((version, stage, since, at))

    for decision in decisions:
        at, version = datetime.fromisoformat(decision["time"]).timestamp(), decision["version"]
        if decision["action"] == "canary":
            close("canary", at)
            current["canary"] = version, at
        elif decision["action"] == "promoted":
            close("champion", at)
            close("canary", at)
            current["champion"] = version, at
        elif decision["action"] == "rolled back":
            close("canary", at)
    for stage in tuple(current):
        close(stage, end)
    return spans


def _versions(axes: Axes, record: Mapping[str, Any]) -> None:
    """Draw when each version was canary and champion."""
    spans = version_spans(record["decisions"], record["ended"])
    for version, stage, begin, end in spans:
        label, alpha = STAGES[stage]
        left, width = _minutes(record, begin), _minutes(record, end) - _minutes(record, begin)
        axes.barh(version, width, left=left, height=0.7, color=_colour(version), alpha=alpha, lw=0)
        if width > NARROW:
            axes.annotate(label, (left, version), textcoords="offset points", xytext=(4, -3), color="white" if stage == "champion" else INK)
    for decision in record["decisions"]:
        if decision["action"] == "rolled back":
            at = _minutes(record, datetime.fromisoformat(decision["time"]).timestamp())
            axes.annotate("rolled back", (at, decision["version"]), textcoords="offset points", xytext=(6, -3), color=ALERT)
    numbers = sorted({version for version, *_ in spans})
    axes.set_yticks(numbers, [f"version {number}" for number in numbers])
    axes.invert_yaxis()


def alert_spans(times: Sequence[float]) -> list[tuple[float, float]]:
    """Return start and end of each time for which an alert fired, from the times at which it was seen."""
    spans = list[tuple[float, float]]()
    for at in times:
        if spans and at - spans[-1][1] <= GAP_SECONDS:
            spans[-1] = spans[-1][0], at
        else:
            spans.append((at, at))
    return spans


def _alerts(axes: Axes, record: Mapping[str, Any]) -> None:
    """Draw when each alert fired, and when training runs went on."""
    names = sorted(record["alerts"], reverse=True)
    for row, name in enumerate(names):
        for begin, end in alert_spans(record["alerts"][name]):
            axes.barh(
                row, max(_minutes(record, end) - _minutes(record, begin), 0.03), left=_minutes(record, begin), height=0.6, color=ALERT
            )
    row = len(names)
    for act in record["acts"]:
        for event in act["events"]:
            if event["training"]:
                left = _minutes(record, event["began"])
                axes.barh(row, _minutes(record, event["ended"] or record["ended"]) - left, left=left, height=0.6, color=RUN)
    axes.set_yticks(range(row + 1), [*(name.removeprefix("RoboPoet") for name in names), "training run"])
