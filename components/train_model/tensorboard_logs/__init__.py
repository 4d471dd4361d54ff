"""Callbacks that write TensorBoard logs (TRAIN-4)."""
