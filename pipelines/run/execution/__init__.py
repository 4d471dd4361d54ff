"""The execution of a flat graph of steps on this machine (PIPE-1)."""
