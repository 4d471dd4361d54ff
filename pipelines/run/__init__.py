"""Where a compiled pipeline runs on one machine: the local executor over KFP v2 IR (PIPE-1, PIPE-4).

Knows nothing of training or text: it reads a graph of programs, runs them, and keeps what they made by content.
"""
