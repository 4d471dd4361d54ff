"""Whether the model's forward and backward pass are compiled by XLA (TRAIN-3)."""

import tensorflow as tf

from robo_poet.settings.train import TrainSettings


def compiles(settings: TrainSettings) -> bool:
    """`auto` is a transformer on a GPU, and nothing else.

    Measured at full size on 2 cores, 32×100 tokens: the transformer 589 ms a step with XLA and 603 ms without, after 5 s more to compile;
    the LSTM 974 ms and 412 ms, after 100 s more. On a GPU it was not measured; there XLA has no kernel for cuDNN's LSTM.
    The projection onto the vocabulary, in chunks of which the last is smaller, is never compiled.
    """
    if settings.xla != "auto":
        return settings.xla == "always"
    return settings.architecture == "transformer" and bool(tf.config.list_physical_devices("GPU"))
