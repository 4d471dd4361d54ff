"""Benchmarks beside a peer, in one run: `make bench BENCH=train|decode|edge`. They are measured, never asserted."""
