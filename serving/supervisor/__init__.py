"""Runs a list of programs and restarts those that end."""
