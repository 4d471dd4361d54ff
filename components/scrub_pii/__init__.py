"""Step `scrub_pii`: personal data leaves the corpus, and a trail of what was changed stays (DATA-3)."""
