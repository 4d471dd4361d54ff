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
        checked = [point for point in history if "validation_cross_entropy" in point]
        top.plot([p["step"] for p in checked], [p["validation_cross_entropy"] for p in checked], color=VALIDATION, marker="o",
                 markersize=4, linewidth=1.4, label="validation cross-entropy")  # fmt: skip
        for point in checked[-1:]:
            top.annotate(f"perplexity {point['validation_perplexity']:.1f}", (point["step"], point["validation_cross_entropy"]),
                         textcoords="offset points", xytext=(0, 12), ha="right", color=VALIDATION)  # fmt: skip
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
