"""Measure what a release must not carry: bias between counterfactual groups, and secrets of the training text (EVAL-4)."""
