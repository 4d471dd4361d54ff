"""Retraining after a drift: takes alerts, starts at most one run for each cause, and records what was done."""
