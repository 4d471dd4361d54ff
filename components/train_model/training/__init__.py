"""The training loop: data, one step, learning rate, callbacks, checkpoints (TRAIN-1..3)."""
