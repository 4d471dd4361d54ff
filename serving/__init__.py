"""The model in front of people."""
