"""Step `slice_metrics`: how the model fares by author, source, period, language and length, beside the champion (EVAL-5)."""
