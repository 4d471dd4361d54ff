"""What was asked and answered: Parquet by day, free of personal data."""
