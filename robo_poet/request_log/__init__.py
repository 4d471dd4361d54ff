"""The request log: requests, answers and feedback without personal data, as Parquet files by day."""
