"""The local executor: runs a compiled pipeline (KFP v2 IR) on one machine (PIPE-1, PIPE-4).

It is independent of training and text. It reads a graph of programs, runs them, and stores their results by content.
"""
