"""The judge of retraining: whether an alert about a drift starts a training run (MON-4)."""
