"""The history of the live perplexity as a plot: perplexity by window, the limit of each version's baseline, and the verdicts."""

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

import matplotlib
from matplotlib import pyplot as plt
from matplotlib.dates import AutoDateLocator

from monitoring.drift.history import Judged

matplotlib.use("svg")

INK, LINE, LIMIT = "#6b7280", "#2563eb", "#d97706"  # readable on a light and on a dark page
MARKS = {
    "rising": ("^", "#d97706", "rising"), "drift": ("o", "#dc2626", "drift"), "cannot_tell": ("x", INK, "cannot tell"),
}  # fmt: skip


def history_plot(model: str, judged: Sequence[Judged]) -> str:
    """Return an SVG: perplexity over time with its bounds, the limit of the rise as a dashed line, a mark for each verdict.

    Args:
        judged: oldest first. May be empty.
    """
    style = {"svg.hashsalt": "robo-poet", "svg.fonttype": "none", "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK,
             "xtick.color": INK, "ytick.color": INK, "font.size": 10}  # fmt: skip
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
        labels: list[str] = []

        def once(label: str) -> str | None:
            if label in labels:
                return None
            labels.append(label)
            return label

        for version, group in groupby(judged, key=lambda window: window.version):
            windows = [window for window in group if "perplexity" in window.row]
            if not windows:
                continue
            times = [datetime.fromtimestamp(window.end, UTC) for window in windows]
            axes.plot(times, [w.row["perplexity"] for w in windows], color=LINE, marker=".", linewidth=1.4, label=once("live perplexity"))
            axes.text(times[0], 0.02, f"version {version}", transform=axes.get_xaxis_transform(), color=INK)
            known = [(time, w) for time, w in zip(times, windows, strict=True) if "rise" in w.row]
            if known:
                expected = [w.row["perplexity"] / (1 + w.row["rise"]) for _, w in known]
                bounds = [[e * (1 + min(w.row[side], 10.0)) for e, (_, w) in zip(expected, known, strict=True)] for side in ("low", "high")]
                axes.fill_between([t for t, _ in known], *bounds, color=LINE, alpha=0.15, linewidth=0, label=once("bounds"))
                limit = [(1 + w.evidence["policy"]["rise"]) * e for e, (_, w) in zip(expected, known, strict=True)]
                axes.plot([t for t, _ in known], limit, color=LIMIT, linestyle="--", linewidth=1.2, label=once("limit of the rise"))
        for window in judged:
            if window.action in MARKS:
                marker, color, label = MARKS[window.action]
                height = window.row.get("perplexity", math.nan)
                time = datetime.fromtimestamp(window.end, UTC)
                axes.plot([time], [height], marker=marker, color=color, linestyle="", markersize=8, label=once(label))
        axes.set_ylabel("perplexity")
        axes.set_title(f"{model}: live perplexity of the users' prompts", loc="left", fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=INK, alpha=0.15)
        if labels:
            axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=7))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        plt.close(figure)
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]
