"""Profiles: all settings of a run, with inheritance (PIPE-3)."""
