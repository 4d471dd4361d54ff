"""The model's architectures and their shared output layer (MODEL-1..3)."""
