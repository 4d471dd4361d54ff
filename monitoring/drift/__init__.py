"""Drift of live traffic: windows, their comparison with the baseline, and the program that watches."""
