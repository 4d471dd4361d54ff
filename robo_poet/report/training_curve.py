"""The training curve as a plot: loss by step, validation cross-entropy, learning rate."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib import pyplot as plt

matplotlib.use("svg")

INK, TRAIN, VALIDATION = "#6b7280", "#2563eb", "#d97706"  # readable on a light and on a dark page


def training_curve(history: Sequence[Mapping[str, Any]]) -> str:
    """Return an inline SVG of the history of train_model: cross-entropy in nats per token over steps, with the learning rate below."""
    with plt.rc_context(
        {"svg.hashsalt": "robo-poet", "svg.fonttype": "none", "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK,
         "xtick.color": INK, "ytick.color": INK, "font.size": 10}
    ):  # fmt: skip
        figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 4.6), sharex=True, height_ratios=[4, 1], layout="constrained")
        steps = [point["step"] for point in history]
        top.plot(steps, [point["loss"] for point in history], color=TRAIN, linewidth=1.4, label="training loss")
        if note := _last_point(history):
            top.plot(steps[-1:], [history[-1]["loss"]], color=TRAIN, marker="D", markersize=6, fillstyle="none", linestyle="", label=note)
        checked = [point for point in history if "validation_cross_entropy" in point]
        top.plot([p["step"] for p in checked], [p["validation_cross_entropy"] for p in checked], color=VALIDATION, marker="o",
                 markersize=4, linewidth=1.4, label=f"validation cross-entropy{_last_perplexity(checked)}")  # fmt: skip
        top.set_ylabel("nats per token")
        top.legend(frameon=False)
        bottom.plot(steps, [point["learning_rate"] for point in history], color=INK, linewidth=1.2)
        bottom.set_ylabel("learning rate")
        bottom.set_xlabel("step")
        for axes in (top, bottom):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(color=INK, alpha=0.15)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        plt.close(figure)
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def _last_perplexity(checked: Sequence[Mapping[str, Any]]) -> str:
    """Return the perplexity of the last validation for the legend; a label at the point would cover the curves."""
    if not checked:
        return ""
    when = f"at the end of epoch {checked[-1]['epoch']:.0f}" if _ends_an_epoch(checked[-1]) else "at last"
    return f", perplexity {checked[-1]['validation_perplexity']:.1f} {when}"


def _last_point(history: Sequence[Mapping[str, Any]]) -> str:
    """Return what the last point of the loss is, if it differs from the others; '' if it does not.

    A point is the mean loss since the point before. The last one, at the end of an epoch, often covers fewer steps, so it is noisier.
    """
    if len(history) < 3:
        return ""
    first, before, last = history[-3]["step"], history[-2]["step"], history[-1]["step"]
    usual, covered = max(before - first, history[0]["step"]), last - before
    if covered >= usual:
        return ""
    where = f", end of epoch {history[-1]['epoch']:.0f}" if _ends_an_epoch(history[-1]) else ""
    return f"last point: mean of {covered} steps, not {usual}{where}"


def _ends_an_epoch(point: Mapping[str, Any]) -> bool:
    epoch = point.get("epoch")
    return epoch is not None and abs(epoch - round(epoch)) < 1e-9
