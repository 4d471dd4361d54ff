"""The tables and metrics of the evaluation: likelihood per document, and completions with their human references (EVAL-1 to EVAL-5)."""
