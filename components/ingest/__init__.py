"""Step `ingest`: builds the corpus from the user's texts or from the bundled corpora (DATA-6)."""
