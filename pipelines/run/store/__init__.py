"""The content-addressed store of finished steps (PIPE-4)."""
