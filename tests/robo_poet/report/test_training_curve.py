from xml.etree import ElementTree

from robo_poet.report.training_curve import training_curve

HISTORY = [
    {"step": 10, "loss": 4.0, "learning_rate": 1e-3},
    {"step": 20, "loss": 3.0, "learning_rate": 5e-4, "validation_cross_entropy": 3.5, "validation_perplexity": 33.14},
]


def test_the_plot_is_an_inline_svg_with_the_last_perplexity() -> None:
    svg = training_curve(HISTORY)
    ElementTree.fromstring(svg)
    assert svg.startswith("<svg") and "perplexity 33.1" in svg and "nats per token" in svg


def test_the_same_history_gives_the_same_plot() -> None:
    assert training_curve(HISTORY) == training_curve(HISTORY)


def test_a_history_without_validation_is_drawn() -> None:
    assert "perplexity" not in training_curve(HISTORY[:1])


def test_the_last_point_of_the_loss_says_how_many_steps_it_covers() -> None:
    regular = [{"step": step, "epoch": step / 25, "loss": 4.0, "learning_rate": 1e-3} for step in (10, 20)]
    end = {"step": 25, "epoch": 1.0, "loss": 3.9, "learning_rate": 1e-3, "validation_cross_entropy": 3.5, "validation_perplexity": 33.14}
    svg = training_curve([{"step": 0, "epoch": 0.0, "loss": 5.0, "learning_rate": 1e-3}, *regular, end])
    assert "last point: mean of 5 steps, not 10, end of epoch 1" in svg and "perplexity 33.1 at the end of epoch 1" in svg
    assert "last point" not in training_curve([*regular, {**end, "step": 30}])
