"""Step `register_model`: registers the model, its evaluation and its lineage as an immutable version."""
