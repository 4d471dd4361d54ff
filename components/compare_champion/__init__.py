"""Measure the champion on the new model's held-out documents, and compare the two (EVAL-5)."""
