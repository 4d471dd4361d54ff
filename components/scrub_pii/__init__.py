"""Step `scrub_pii`: removes personal data from the corpus and writes an audit trail of the changes (DATA-3)."""
