"""Train the language model and export it as a SavedModel with the signatures `generate` and `score`."""
