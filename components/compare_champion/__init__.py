"""Step `compare_champion`: measures the champion on the new model's held-out documents and compares both (EVAL-5)."""
