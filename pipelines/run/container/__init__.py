"""Steps as containers in a Docker engine (PIPE-1)."""
