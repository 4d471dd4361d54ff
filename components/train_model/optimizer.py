"""The optimizer (TRAIN-1), and in float16 the scaling of its loss (TRAIN-3)."""

from typing import Any

import keras
import tensorflow as tf

from robo_poet.settings.train import TrainSettings

GROWTH_STEPS = 2000  # good steps after which the loss scale doubles
INITIAL_SCALE = 2.0**15


def make_optimizer(settings: TrainSettings, compute: tf.DType, devices: int = 1) -> Any:
    """AdamW (Loshchilov & Hutter 2019).

    Args:
        devices: that share a gradient, see `data_parallel`.

    A small gradient is zero in float16. There the loss is multiplied by a scale, and its gradients are divided by it before they are used
    (Micikevicius et al. 2018): a step with a gradient that is not finite is skipped and halves the scale, `GROWTH_STEPS` good steps
    double it. The scale and its count are variables of the optimizer, so every checkpoint holds them. bfloat16 has float32's range and
    needs none of it.
    """
    inner = keras.optimizers.AdamW(
        settings.learning_rate, beta_1=settings.beta_1, beta_2=settings.beta_2, epsilon=settings.epsilon,
        weight_decay=settings.weight_decay, clipnorm=settings.clipnorm / devices,
    )  # fmt: skip
    return keras.optimizers.LossScaleOptimizer(inner, INITIAL_SCALE, GROWTH_STEPS) if compute == tf.float16 else inner
