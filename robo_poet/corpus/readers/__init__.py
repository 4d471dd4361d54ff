"""Readers of user corpora: encodings, text files and tables (CSV, JSON Lines, Parquet)."""
