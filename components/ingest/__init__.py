"""Step `ingest`: the user's texts, or the bundled ones, become the corpus (DATA-6)."""
