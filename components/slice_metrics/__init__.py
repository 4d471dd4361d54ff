"""Step `slice_metrics`: metrics by author, source, period, language and length, compared with the champion (EVAL-5)."""
