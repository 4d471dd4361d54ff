"""Curation of a corpus: quality rules, near-duplicates, and the table of documents that a corpus leaves out (DATA-2)."""
