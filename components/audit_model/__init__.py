"""Audit a model before release: bias between counterfactual groups, and memorised canary strings (EVAL-4)."""
