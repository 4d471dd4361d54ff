"""Step `gate_model`: checks the metrics of a model against the gates of the profile (EVAL-6)."""
