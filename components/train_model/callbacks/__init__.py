"""Callbacks of the training loop: progress, early stopping, divergence and the logs for TensorBoard (TRAIN-4)."""
