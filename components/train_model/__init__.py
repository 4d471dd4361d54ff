"""Train the language model and export it with its own `generate` and `score`."""
