"""Execution of steps as Docker containers (PIPE-1)."""
