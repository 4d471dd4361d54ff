"""Step `validate_data`: what the corpus looks like, and whether anything may be learnt from it (DATA-1, DATA-2)."""
