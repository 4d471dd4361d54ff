"""The tables that evaluation is made of: likelihood a document, completions beside what people wrote (EVAL-1 to EVAL-5)."""
