"""Measure a trained model on the test split, through its exported signatures alone."""
