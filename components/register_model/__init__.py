"""Register: the model, what was measured on it and where it comes from, as an immutable version."""
