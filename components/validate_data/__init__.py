"""Step `validate_data`: measures the corpus and checks whether it is fit for training (DATA-1, DATA-2)."""
