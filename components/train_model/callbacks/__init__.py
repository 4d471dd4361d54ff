"""What happens besides training, at each batch, validation, epoch and checkpoint: one file each (TRAIN-4)."""
