"""The optimizer (TRAIN-1), with loss scaling in float16 (TRAIN-3)."""

from typing import Any

import keras
import tensorflow as tf

from robo_poet.settings.train import TrainSettings

GROWTH_STEPS = 2000  # finite steps after which the loss scale doubles
INITIAL_SCALE = 2.0**15


def make_optimizer(settings: TrainSettings, compute: tf.DType, devices: int = 1) -> Any:
    """Return AdamW (Loshchilov & Hutter 2019), in float16 with dynamic loss scaling (Micikevicius et al. 2018).

    Small gradients underflow to zero in float16. So the loss is multiplied by a scale, and the gradients are divided by it before use. A
    step with a non-finite gradient is skipped and halves the scale; `GROWTH_STEPS` finite steps double it. The scale and the step count
    are variables of the optimizer, so every checkpoint holds them. bfloat16 has float32's range and needs no scaling.

    Args:
        settings: rates, betas, epsilon, weight decay and clipping norm.
        compute: dtype of the matrix products.
        devices: number of devices that share a gradient, see `MirroredTrainStep`; `clipnorm` is divided by it.
    """
    inner = keras.optimizers.AdamW(
        settings.learning_rate, beta_1=settings.beta_1, beta_2=settings.beta_2, epsilon=settings.epsilon,
        weight_decay=settings.weight_decay, clipnorm=settings.clipnorm / devices,
    )  # fmt: skip
    return keras.optimizers.LossScaleOptimizer(inner, INITIAL_SCALE, GROWTH_STEPS) if compute == tf.float16 else inner
